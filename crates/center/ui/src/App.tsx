/** The page: the way in, and behind it the bar on top and one view below it. */
import { useQueryClient } from "@tanstack/react-query";
import { WifiOff } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { useT } from "./i18n";
import { useAlarms } from "./lib/alarm";
import { useShortcuts } from "./lib/shortcuts";
import { Keys } from "./parts/Keys";
import { Loading } from "./parts/States";
import { TopBar, allowed } from "./parts/TopBar";
import { useKinds } from "./state/catalogue";
import { useFeed } from "./state/feed";
import { empty, useLive } from "./state/live";
import { go, useRoute, type View } from "./state/route";
import { useSession } from "./state/session";
import { useSettings } from "./state/settings";
import { nothing, useSetup } from "./state/setup";
import { CamerasView } from "./views/CamerasView";
import { CasesView } from "./views/CasesView";
import { IncidentsView } from "./views/IncidentsView";
import { MapView } from "./views/MapView";
import { ReviewView } from "./views/ReviewView";
import { RoofsView } from "./views/RoofsView";
import { SignInView } from "./views/SignInView";
import { WallView } from "./views/WallView";

// Not on the way to the wall: read when they are opened.
const AdminView = lazy(() => import("./views/AdminView").then((m) => ({ default: m.AdminView })));
const SetupView = lazy(() => import("./views/SetupView").then((m) => ({ default: m.SetupView })));
const ReportsView = lazy(() => import("./views/ReportsView").then((m) => ({ default: m.ReportsView })));

export function App() {
  const t = useT();
  const { language, theme, set } = useSettings();
  const { session, error, load } = useSession();
  const client = useQueryClient();
  useEffect(() => void load(), [load]);
  useEffect(() => {
    // What one person saw is not left for the next.
    if (session !== null) return;
    client.clear();
    useLive.setState(empty);
    useSetup.setState(nothing);
  }, [session, client]);
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dataset["theme"] = theme;
    document.title = `Parapet · ${t("app.title")}`;
  }, [language, theme, t]);
  useShortcuts({
    l: () => set({ language: language === "en" ? "zh-CN" : "en" }),
    t: () => set({ theme: theme === "dark" ? "light" : "dark" }),
  });
  if (session) return <Room key={session.name} />;
  if (session === undefined && !error) return <Loading />;
  return <SignInView />;
}

/** Keys of the views. */
const GO: Record<string, View> = { w: "wall", q: "review", i: "incidents", f: "cases", g: "map", r: "roofs", b: "reports", k: "cameras", e: "setup", a: "admin" };

function Room() {
  const t = useT();
  const route = useRoute();
  const session = useSession((s) => s.session);
  const connection = useLive((s) => s.connection);
  const [error, setError] = useState<unknown>(null);
  const [keys, setKeys] = useState(false);
  useFeed(setError);
  useKinds();
  useAlarms();
  const retry = useCallback(() => {
    setError(null);
    useLive.setState((s) => ({ epoch: s.epoch + 1 }));
  }, []);
  const view = allowed(route.view, session) ? route.view : "wall";
  const screen = view === "wall" ? Math.max(1, Math.floor(Number(route.query.get("screen") ?? 1)) || 1) : 1;
  // Whoever is in setup stays at the camera where they are.
  const stays = (to: View) => !allowed(to, session) || (to === "setup" && view === "setup");
  const visit = Object.fromEntries(Object.entries(GO).map(([key, to]) => [key, () => stays(to) || go(to)]));
  useShortcuts({
    ...visit,
    "?": () => setKeys(true),
    // With nothing open, `N` begins with the most urgent one.
    ...(route.id === null && view === "wall" ? { n: () => document.querySelector<HTMLButtonElement>(".rail-list .card")?.click() } : {}),
  });
  return (
    <div className="app">
      {screen === 1 && <TopBar view={view} onKeys={() => setKeys(true)} />}
      {connection === "lost" && (
        <div className="banner" role="alert">
          <WifiOff size={16} aria-hidden />
          <b>{t("live.lost")}</b>
          {t("live.lost.detail")}
        </div>
      )}
      {view === "wall" && <WallView id={route.id} screen={screen} error={error} retry={retry} />}
      {view === "review" && <ReviewView />}
      {view === "incidents" && <IncidentsView id={route.id} />}
      {view === "cases" && <CasesView id={route.id} />}
      {view === "map" && <MapView id={route.id} query={route.query} />}
      {view === "roofs" && <RoofsView id={route.id} />}
      <Suspense fallback={view === "reports" || view === "setup" || view === "admin" ? <Loading /> : null}>
        {view === "reports" && <ReportsView id={route.id} />}
        {view === "setup" && <SetupView id={route.id} query={route.query} />}
        {view === "admin" && <AdminView id={route.id} />}
      </Suspense>
      {view === "cameras" && <CamerasView />}
      {keys && <Keys onClose={() => setKeys(false)} />}
    </div>
  );
}
