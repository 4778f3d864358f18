/** The page: bar on top, one view below it. */
import { WifiOff } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { useT } from "./i18n";
import { useShortcuts } from "./lib/shortcuts";
import { Keys } from "./parts/Keys";
import { TopBar } from "./parts/TopBar";
import { useFeed } from "./state/feed";
import { useLive } from "./state/live";
import { go, useRoute } from "./state/route";
import { useSettings } from "./state/settings";
import { CamerasView } from "./views/CamerasView";
import { IncidentsView } from "./views/IncidentsView";
import { RoofsView } from "./views/RoofsView";
import { WallView } from "./views/WallView";

export function App() {
  const t = useT();
  const route = useRoute();
  const { language, theme, set } = useSettings();
  const connection = useLive((s) => s.connection);
  const [error, setError] = useState<unknown>(null);
  const [keys, setKeys] = useState(false);
  useFeed(setError);
  const retry = useCallback(() => {
    setError(null);
    useLive.setState((s) => ({ epoch: s.epoch + 1 }));
  }, []);

  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dataset["theme"] = theme;
    document.title = `Parapet · ${t("app.title")}`;
  }, [language, theme, t]);
  useShortcuts({
    w: () => go("wall"),
    i: () => go("incidents"),
    r: () => go("roofs"),
    k: () => go("cameras"),
    l: () => set({ language: language === "en" ? "zh-CN" : "en" }),
    t: () => set({ theme: theme === "dark" ? "light" : "dark" }),
    "?": () => setKeys(true),
    // With nothing open, `N` begins with the most urgent one.
    ...(route.id === null && route.view === "wall" ? { n: () => beginReview() } : {}),
  });
  return (
    <div className="app">
      <TopBar view={route.view} onKeys={() => setKeys(true)} />
      {connection === "lost" && (
        <div className="banner" role="alert">
          <WifiOff size={16} aria-hidden />
          <b>{t("live.lost")}</b>
          {t("live.lost.detail")}
        </div>
      )}
      {route.view === "wall" && <WallView id={route.id} error={error} retry={retry} />}
      {route.view === "incidents" && <IncidentsView id={route.id} />}
      {route.view === "roofs" && <RoofsView id={route.id} />}
      {route.view === "cameras" && <CamerasView />}
      {keys && <Keys onClose={() => setKeys(false)} />}
    </div>
  );
}

function beginReview(): void {
  document.querySelector<HTMLButtonElement>(".rail-list .card")?.click();
}
