/** Who is signed in, as what; signing out, and a new password. */
import { useMutation } from "@tanstack/react-query";
import { KeyRound, LogOut, UserRound } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { errorText } from "../api/client";
import { people } from "../api/people";
import type { Grant } from "../api/types";
import { useT, type Translate } from "../i18n";
import { useSession } from "../state/session";
import { Dialog } from "./Dialog";
import { TextField } from "./Fields";

/** A grant in words: the role, and where it holds. */
export function grantText(grant: Grant, t: Translate): string {
  const where = [grant.site, grant.camera].filter((part) => part !== null).join(" / ");
  return `${t.maybe(`role.${grant.role}`, grant.role)} · ${where || t("session.allSites")}`;
}

export function UserMenu() {
  const t = useT();
  const session = useSession((s) => s.session);
  const signOut = useSession((s) => s.signOut);
  const [changing, setChanging] = useState(false);
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const away = (event: Event) => {
      if (menu.current && !menu.current.contains(event.target as globalThis.Node)) menu.current.open = false;
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, []);
  if (!session) return null;
  const close = () => menu.current && (menu.current.open = false);
  return (
    <>
      <details className="menu" ref={menu} onKeyDown={(event) => event.key === "Escape" && close()}>
        <summary className="icon-button menu-button" aria-label={t("session.menu", { name: session.display_name })} title={session.display_name}>
          <UserRound size={17} aria-hidden />
          <span>{session.display_name}</span>
        </summary>
        <div className="menu-body">
          <b>{session.display_name}</b>
          <span className="muted">{session.name}</span>
          <ul>
            {session.grants.map((grant, i) => (
              <li key={i}>{grantText(grant, t)}</li>
            ))}
          </ul>
          <button
            className="button"
            onClick={() => {
              close();
              setChanging(true);
            }}
          >
            <KeyRound size={15} aria-hidden />
            {t("session.changePassword")}
          </button>
          <button className="button" onClick={() => void signOut()}>
            <LogOut size={15} aria-hidden />
            {t("session.out")}
          </button>
        </div>
      </details>
      {changing && <PasswordDialog onClose={() => setChanging(false)} />}
    </>
  );
}

function PasswordDialog({ onClose }: { onClose(): void }) {
  const t = useT();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const save = useMutation({ mutationFn: () => people.changePassword(old, fresh) });
  if (save.isSuccess) {
    return (
      <Dialog title={t("session.changePassword")} onClose={onClose}>
        <p role="status">{t("session.passwordChanged")}</p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={t("session.changePassword")}
      submit={t("form.save")}
      busy={save.isPending}
      message={save.error ? errorText(save.error, t.language) : null}
      onClose={onClose}
      onSubmit={() => save.mutate()}
    >
      <TextField label={t("session.oldPassword")} type="password" autoComplete="current-password" value={old} onChange={setOld} required />
      <TextField label={t("session.newPassword")} type="password" autoComplete="new-password" value={fresh} onChange={setFresh} required minLength={8} />
    </Dialog>
  );
}
