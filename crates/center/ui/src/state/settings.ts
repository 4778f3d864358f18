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
