/** The present by the center's clock, once a second, from one timer for the whole page. */
import { useSyncExternalStore } from "react";
import { useLive } from "../state/live";

let present = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    present = Date.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function useNow(): number {
  const offset = useLive((s) => s.clockOffset);
  return useSyncExternalStore(subscribe, () => present) + offset;
}
