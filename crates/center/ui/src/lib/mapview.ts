/** Moving about on a sheet: which part of it is seen. All in metres of the sheet. */

export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The whole sheet, in the shape of the window it is seen through. */
export function whole(sheet: Size, window: Size): View {
  const shape = window.width / Math.max(1, window.height);
  const width = Math.max(sheet.width, sheet.height * shape);
  const height = width / shape;
  return { x: (sheet.width - width) / 2, y: (sheet.height - height) / 2, width, height };
}

/** Closer by `factor` (> 1) with the point staying where it is; never closer than 8 m nor farther than twice the whole. */
export function zoomed(view: View, factor: number, at: { x: number; y: number }, full: View): View {
  const width = Math.min(full.width * 2, Math.max(8, view.width / factor));
  const scale = width / view.width;
  return inside({ x: at.x - (at.x - view.x) * scale, y: at.y - (at.y - view.y) * scale, width, height: view.height * scale }, full);
}

export function moved(view: View, dx: number, dy: number, full: View): View {
  return inside({ ...view, x: view.x + dx, y: view.y + dy }, full);
}

/** The middle of what is seen stays on the whole. */
function inside(view: View, full: View): View {
  const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
  return {
    ...view,
    x: clamp(view.x, full.x - view.width / 2, full.x + full.width - view.width / 2),
    y: clamp(view.y, full.y - view.height / 2, full.y + full.height - view.height / 2),
  };
}

/** So many metres round a point. */
export function around(at: [number, number], width: number, window: Size): View {
  const height = (width * window.height) / Math.max(1, window.width);
  return { x: at[0] - width / 2, y: at[1] - height / 2, width, height };
}
