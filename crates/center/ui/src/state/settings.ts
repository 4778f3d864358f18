/** What this person likes, kept in this browser. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Language = "zh-CN" | "en";
export type Theme = "dark" | "light";
export type Layout = "auto" | 1 | 4 | 9 | 16 | 20 | 36;

interface Settings {
  language: Language;
  theme: Theme;
  layout: Layout;
  tracks: boolean;
  zones: boolean;
  /** Cameras with an alarm come forward on the wall. */
  forward: boolean;
  /** The list of incidents beside the wall. */
  rail: boolean;
  /** What the wall shows: `all`, `site:ID`, `node:ID` or `own:NAME`. */
  group: string;
  groups: Record<string, string[]>;
  /** Over how many screens the cameras are spread. */
  screens: number;
  pinned: string[];
  sound: boolean;
  notices: boolean;
  set(change: Partial<Omit<Settings, "set">>): void;
}

export const useSettings = create<Settings>()(
  persist(
    (set) => ({
      language: "zh-CN",
      theme: "dark",
      layout: "auto",
      tracks: true,
      zones: true,
      forward: true,
      rail: true,
      group: "all",
      groups: {},
      screens: 1,
      pinned: [],
      sound: false,
      notices: false,
      set: (change) => set(change),
    }),
    { name: "parapet.settings", version: 1 },
  ),
);

/** `?lang=en&theme=light` in the address wins over what was kept: for links and wall screens. */
export function applyAddress(search: string): void {
  const query = new URLSearchParams(search);
  const language = query.get("lang");
  const theme = query.get("theme");
  const { set } = useSettings.getState();
  if (language === "en" || language === "zh-CN") set({ language });
  if (theme === "dark" || theme === "light") set({ theme });
}

/** Windows of one person share what they like: what one of them changes the others take over. */
export function followOtherWindows(): void {
  window.addEventListener("storage", (event) => {
    if (event.key === useSettings.persist.getOptions().name) void useSettings.persist.rehydrate();
  });
}
