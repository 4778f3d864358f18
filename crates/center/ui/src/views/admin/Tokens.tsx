/** Ways in for programs. A token is shown once, when it is made. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../../api/client";
import { people } from "../../api/people";
import type { Grant, Token } from "../../api/types";
import { useT } from "../../i18n";
import { day, fullTime } from "../../lib/format";
import { dayEdge } from "../../lib/month";
import { AdminHead, AdminTable } from "../../parts/AdminParts";
import { Dialog } from "../../parts/Dialog";
import { TextField } from "../../parts/Fields";
import { Grants } from "../../parts/Grants";
import { grantText } from "../../parts/UserMenu";

export function TokensPart() {
  const t = useT();
  const query = useQuery({ queryKey: ["tokens"], queryFn: people.tokens });
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Token | null>(null);
  return (
    <>
      <AdminHead title={t("admin.tokens")} add={t("token.add")} onAdd={() => setAdding(true)} />
      <AdminTable query={query} columns={[t("token.name"), t("user.grants"), t("admin.created"), t("token.expires"), t("token.used"), ""]}>
        {(token) => (
          <tr key={token.id}>
            <td>
              <b>{token.name}</b>
            </td>
            <td>{token.grants.map((grant) => grantText(grant, t)).join("; ")}</td>
            <td className="time">{day(token.created_at, t.language)}</td>
            <td className="time">{token.expires_at ? day(token.expires_at, t.language) : t("token.expires.never")}</td>
            <td className="time">{token.last_used_at ? fullTime(token.last_used_at, t.language) : t("user.never")}</td>
            <td className="number">
              <button className="button button-small" onClick={() => setRemoving(token)}>
                {t("token.remove")}
              </button>
            </td>
          </tr>
        )}
      </AdminTable>
      {adding && <AddToken onClose={() => setAdding(false)} />}
      {removing && <RemoveToken token={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

function AddToken({ onClose }: { onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [expires, setExpires] = useState("");
  const [grants, setGrants] = useState<Grant[]>([{ role: "viewer", site: null, camera: null }]);
  const add = useMutation({
    mutationFn: () => people.addToken({ name: name.trim(), grants, ...(expires ? { expires_at: dayEdge(expires, "end") } : {}) }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (add.data) {
    return (
      <Dialog title={t("token.add")} wide onClose={onClose}>
        <p>{t("token.secret")}</p>
        <code className="secret">{add.data.secret}</code>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("token.add")} submit={t("form.add")} wide busy={add.isPending} message={add.error ? errorText(add.error, t.language) : null} onClose={onClose} onSubmit={() => add.mutate()}>
      <div className="fields">
        <TextField label={t("token.name")} value={name} onChange={setName} required maxLength={64} />
        <TextField label={t("token.expires")} type="date" value={expires} onChange={setExpires} />
      </div>
      <Grants grants={grants} onChange={setGrants} />
    </Dialog>
  );
}

function RemoveToken({ token, onClose }: { token: Token; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => people.removeToken(token.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["tokens"] });
      onClose();
    },
  });
  return (
    <Dialog title={t("token.remove")} submit={t("token.remove")} busy={remove.isPending} message={remove.error ? errorText(remove.error, t.language) : null} onClose={onClose} onSubmit={() => remove.mutate()}>
      <p>{t("token.remove.ask", { name: token.name })}</p>
    </Dialog>
  );
}
