/** Where one is, what waits, and how the system is doing. */
import { Building2, Camera as CameraIcon, Keyboard, LayoutGrid, ListChecks, Moon, Sun } from "lucide-react";
import { useT } from "../i18n";
import { condition } from "../lib/health";
import { fullTime } from "../lib/format";
import { useNow } from "../lib/now";
import { useLive } from "../state/live";
import { href, VIEWS, type View } from "../state/route";
import { useSettings } from "../state/settings";

const ICONS = { wall: LayoutGrid, incidents: ListChecks, roofs: Building2, cameras: CameraIcon };

export function TopBar({ view, onKeys }: { view: View; onKeys(): void }) {
  const t = useT();
  const now = useNow();
  const { language, theme, set } = useSettings();
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
        {VIEWS.map((v) => {
          const Icon = ICONS[v];
          return (
            <a key={v} href={href(v)} aria-current={view === v ? "page" : undefined}>
              <Icon size={16} aria-hidden />
              {t(`nav.${v}`)}
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
        <button className="icon-button" onClick={onKeys} title={`${t("top.keys")} (?)`} aria-label={t("top.keys")}>
          <Keyboard size={17} />
        </button>
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
      </div>
    </header>
  );
}
