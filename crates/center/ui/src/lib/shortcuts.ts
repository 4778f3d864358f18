/** Single keys for the work of the monitoring room. */
import { useEffect, useRef } from "react";

export type Shortcuts = Record<string, () => unknown>;

/** Typing in a field is typing, and a key with a modifier belongs to the browser. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input:not([type=range]), textarea, select, [contenteditable]") !== null;
}

export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      // What asks for something has the keyboard to itself.
      if (document.querySelector("dialog[open]")) return;
      // An arrow on a slider or in a player moves that.
      if (event.key.startsWith("Arrow") && event.target instanceof Element && event.target.closest("input, video")) return;
      const action = current.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
