/** Paints what has changed once for each picture of the screen, all tiles together, however many frames arrive meanwhile. */

const waiting = new Set<() => void>();
let asked = 0;

function flush(): void {
  asked = 0;
  const now = [...waiting];
  waiting.clear();
  for (const paint of now) paint();
}

/** Calls `paint` before the next picture of the screen, once. */
export function paintSoon(paint: () => void): void {
  waiting.add(paint);
  asked ||= requestAnimationFrame(flush);
}

export function forgetPaint(paint: () => void): void {
  waiting.delete(paint);
}
