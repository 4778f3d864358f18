/** What administrators and auditors set and see, one part at a time. */
import { useT } from "../i18n";
import type { Permission } from "../api/types";
import { go } from "../state/route";
import { may, useSession } from "../state/session";
import { AuditPart, LedgerPart } from "./admin/Records";
import { DepartmentsPart } from "./admin/Departments";
import { FilingPart } from "./admin/Filing";
import { HoldsPart } from "./admin/Holds";
import { KindsPart } from "./admin/Kinds";
import { MutesPart } from "./admin/Mutes";
import { TimePart } from "./admin/Time";
import { TokensPart } from "./admin/Tokens";
import { UsersPart } from "./admin/Users";

const PARTS = [
  ["users", "manage_users", UsersPart],
  ["tokens", "manage_users", TokensPart],
  ["departments", "configure", DepartmentsPart],
  ["kinds", "configure", KindsPart],
  ["time", "configure", TimePart],
  ["filing", "configure", FilingPart],
  ["mutes", "judge", MutesPart],
  ["holds", "delete", HoldsPart],
  ["audit", "audit", AuditPart],
  ["ledger", "audit", LedgerPart],
] as const satisfies readonly (readonly [string, Permission, () => unknown])[];

export function AdminView({ id }: { id: string | null }) {
  const t = useT();
  const session = useSession((s) => s.session);
  const open = PARTS.filter(([, permission]) => may(session, permission));
  const [name, , Part] = open.find(([part]) => part === id) ?? open[0] ?? PARTS[0];
  return (
    <main className="admin">
      <nav className="admin-nav" aria-label={t("admin.title")}>
        <h1>{t("admin.title")}</h1>
        {open.map(([part]) => (
          <button key={part} aria-current={part === name ? "page" : undefined} onClick={() => go("admin", part)}>
            {t(`admin.${part}`)}
          </button>
        ))}
      </nav>
      <section className="admin-part" aria-label={t(`admin.${name}`)}>
        <Part />
      </section>
    </main>
  );
}
