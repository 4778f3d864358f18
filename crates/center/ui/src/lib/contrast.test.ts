import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Colours of one theme out of tokens.css. */
function colours(theme: string): Record<string, string> {
  const css = readFileSync("src/styles/tokens.css", "utf8");
  const block = css.split(`:root[data-theme="${theme}"] {`)[1]?.split("}")[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]]));
}

/** WCAG 2.2 contrast ratio. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map((i) => {
      const c = parseInt(hex.slice(i, i + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe.each(["dark", "light"])("theme %s", (theme) => {
  const c = colours(theme);
  const of = (name: string) => c[name] ?? "#000000";
  const grounds = ["ground", "surface", "raised", "hover", "accent-ground"];
  it.each(grounds)("text on %s reaches 4.5:1", (ground) => {
    for (const text of ["text", "muted"]) expect(contrast(of(text), of(ground)), text).toBeGreaterThanOrEqual(4.5);
  });
  it("states on their own ground reach 4.5:1", () => {
    for (const state of ["good", "warn", "bad"]) {
      expect(contrast(of(state), of(`${state}-ground`)), state).toBeGreaterThanOrEqual(4.5);
      for (const ground of ["surface", "raised"]) expect(contrast(of(state), of(ground)), `${state} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(of("on-accent"), of("accent"))).toBeGreaterThanOrEqual(4.5);
    for (const ground of ["accent-ground", "ground", "surface", "raised"]) expect(contrast(of("accent"), of(ground)), ground).toBeGreaterThanOrEqual(4.5);
    // Counts stand on the colour of their state.
    for (const state of ["warn", "bad"]) expect(contrast(of("surface"), of(state)), state).toBeGreaterThanOrEqual(4.5);
  });
  it("signs of kinds reach 3:1 on every surface", () => {
    const kinds = Object.keys(c).filter((name) => name.startsWith("kind-"));
    expect(kinds).toHaveLength(5);
    for (const kind of kinds) for (const ground of ["ground", "surface", "raised"]) expect(contrast(of(kind), of(ground)), `${kind} on ${ground}`).toBeGreaterThanOrEqual(3);
  });
});
