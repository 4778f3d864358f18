/** Where one is, what waits, and how the system is doing. */
import { Building2, Camera as CameraIcon, ChartColumn, FolderKanban, Gavel, Keyboard, LayoutGrid, Map, Moon, PencilRuler, Search, Settings2, Sun, type LucideIcon } from "lucide-react";
import type { Permission, Session } from "../api/types";
import { useT } from "../i18n";
import { condition } from "../lib/health";
import { fullTime } from "../lib/format";
import { useNow } from "../lib/now";
import { useLive } from "../state/live";
import { href, VIEWS, type View } from "../state/route";
import { may, useSession } from "../state/session";
import { useSettings } from "../state/settings";
import { AlarmSwitches } from "./AlarmSwitches";
import { UserMenu } from "./UserMenu";

const ICONS: Record<View, LucideIcon> = {
  wall: LayoutGrid,
  review: Gavel,
  incidents: Search,
  cases: FolderKanban,
  map: Map,
  roofs: Building2,
  reports: ChartColumn,
  cameras: CameraIcon,
  setup: PencilRuler,
  admin: Settings2,
};

/** Views that not everybody has, and what one of it takes. */
const NEEDS: Partial<Record<View, Permission[]>> = { review: ["judge"], setup: ["configure"], admin: ["configure", "manage_users", "audit", "judge"] };

export function allowed(view: View, session: Session | null | undefined): boolean {
  return NEEDS[view]?.some((permission) => may(session, permission)) ?? true;
}

export function TopBar({ view, onKeys }: { view: View; onKeys(): void }) {
  const t = useT();
  const now = useNow();
  const language = useSettings((s) => s.language);
  const session = useSession((s) => s.session);
  const connection = useLive((s) => s.connection);
  const cameras = useLive((s) => s.cameras);
  const toCheck = useLive((s) => Object.values(s.incidents).reduce((n, i) => n + (i.status === "new" ? 1 : 0), 0));
  const more = useLive((s) => s.more);
  const all = Object.values(cameras);
  const up = all.filter((c) => condition(c) === "streaming").length;
  return (
    <header className="top">
      <a className="brand" href={href("wall")}>
        <img src="/icon.svg" alt="" width={24} height={24} />
        <b>Parapet</b>
        <span>{t("app.title")}</span>
      </a>
      <nav aria-label={t("nav.label")}>
        {VIEWS.filter((v) => allowed(v, session)).map((v) => {
          const Icon = ICONS[v];
          return (
            <a key={v} href={href(v)} title={t(`nav.${v}`)} aria-current={view === v ? "page" : undefined}>
              <Icon size={16} aria-hidden />
              <span>{t(`nav.${v}`)}</span>
            </a>
          );
        })}
      </nav>
      <div className="top-facts">
        <span className={`top-fact${toCheck > 0 ? " top-fact-alarm" : ""}`}>
          <b>
            {toCheck}
            {more && "+"}
          </b> {t("top.toCheck")}
        </span>
        <span className={`top-fact${up < all.length ? " top-fact-warn" : ""}`}>
          <b>
            {up}/{all.length}
          </b>{" "}
          {t("top.camerasUp")}
        </span>
        <span className={`connection connection-${connection}`} role="status">
          <i aria-hidden />
          {connection === "open" ? t("live.connected") : connection === "connecting" ? t("live.connecting") : t("health.offline")}
        </span>
        <time className="top-clock">{fullTime(now, language)}</time>
      </div>
      <div className="top-tools">
        <AlarmSwitches />
        <button className="icon-button" onClick={onKeys} title={`${t("top.keys")} (?)`} aria-label={t("top.keys")}>
          <Keyboard size={17} />
        </button>
        <Appearance />
        <UserMenu />
      </div>
    </header>
  );
}

/** Dark or bright, and the language. */
export function Appearance() {
  const t = useT();
  const { language, theme, set } = useSettings();
  return (
    <>
      <button
        className="icon-button"
        onClick={() => set({ theme: theme === "dark" ? "light" : "dark" })}
        title={`${t("top.theme.switch")} (T)`}
        aria-label={t("top.theme.switch")}
      >
        {theme === "dark" ? <Sun size={17} /> : <Moon size={17} />}
      </button>
      <button
        className="icon-button language"
        onClick={() => set({ language: language === "en" ? "zh-CN" : "en" })}
        title={`${t("top.language.switch")} (L)`}
        aria-label={t("top.language.switch")}
        lang={language === "en" ? "zh-CN" : "en"}
      >
        {t("top.language.other")}
      </button>
    </>
  );
}
