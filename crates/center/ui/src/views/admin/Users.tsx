/** Who may sign in, and as what. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../../api/client";
import { people } from "../../api/people";
import type { Grant, User } from "../../api/types";
import { useT } from "../../i18n";
import { fullTime } from "../../lib/format";
import { useNow } from "../../lib/now";
import { AdminHead, AdminTable, EnabledBadge } from "../../parts/AdminParts";
import { Dialog } from "../../parts/Dialog";
import { CheckField, TextField } from "../../parts/Fields";
import { Grants } from "../../parts/Grants";
import { grantText } from "../../parts/UserMenu";

export function UsersPart() {
  const t = useT();
  const now = useNow();
  const query = useQuery({ queryKey: ["users"], queryFn: people.users });
  const [editing, setEditing] = useState<User | "new" | null>(null);
  return (
    <>
      <AdminHead title={t("admin.users")} add={t("user.add")} onAdd={() => setEditing("new")} />
      <AdminTable query={query} columns={[t("user.name"), t("user.display"), t("user.grants"), t("user.lastSeen"), t("admin.enabled"), ""]}>
        {(user) => (
          <tr key={user.name}>
            <td>
              <b>{user.name}</b>
            </td>
            <td>{user.display_name}</td>
            <td>{user.grants.map((grant) => grantText(grant, t)).join("; ")}</td>
            <td className="time">{user.last_seen_at ? fullTime(user.last_seen_at, t.language) : t("user.never")}</td>
            <td>
              <EnabledBadge enabled={user.enabled} />{" "}
              {user.locked_until && Date.parse(user.locked_until) > now && <span className="due due-bad">{t("user.locked", { time: fullTime(user.locked_until, t.language) })}</span>}
            </td>
            <td className="number">
              <button className="button button-small" onClick={() => setEditing(user)}>
                {t("form.edit")}
              </button>
            </td>
          </tr>
        )}
      </AdminTable>
      {editing && <UserDialog user={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
    </>
  );
}

function UserDialog({ user, onClose }: { user: User | null; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState(user?.name ?? "");
  const [display, setDisplay] = useState(user?.display_name ?? "");
  const [password, setPassword] = useState("");
  const [enabled, setEnabled] = useState(user?.enabled ?? true);
  const [grants, setGrants] = useState<Grant[]>(user?.grants ?? [{ role: "viewer", site: null, camera: null }]);
  const secret = password ? { password } : {};
  const save = useMutation({
    mutationFn: () =>
      user ? people.changeUser(user.name, { display_name: display.trim(), enabled, grants, ...secret }) : people.addUser({ name: name.trim(), display_name: display.trim(), grants, ...secret }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["users"] });
      onClose();
    },
  });
  return (
    <Dialog title={t(user ? "user.edit" : "user.add")} submit={t("form.save")} wide busy={save.isPending} message={save.error ? errorText(save.error, t.language) : null} onClose={onClose} onSubmit={() => save.mutate()}>
      <div className="fields">
        <TextField label={t("user.name")} value={name} onChange={setName} required disabled={user !== null} maxLength={64} autoCapitalize="none" spellCheck={false} autoComplete="off" />
        <TextField label={t("user.display")} value={display} onChange={setDisplay} required maxLength={64} />
        <TextField label={t("user.password")} {...(user ? { hint: t("user.password.keep") } : {})} type="password" value={password} onChange={setPassword} required={user === null} minLength={8} autoComplete="new-password" />
      </div>
      <Grants grants={grants} onChange={setGrants} />
      {user && <CheckField label={t("admin.enabled")} checked={enabled} onChange={setEnabled} />}
    </Dialog>
  );
}
