/** Pictures of every view, in both languages, dark and bright, to be looked at. */
import { mkdir } from "node:fs/promises";
import { settled, visit } from "./people.mjs";

/** The four appearances, each with the key that leads to it from the one before. */
const APPEARANCES = [
  ["zh-dark", "l"],
  ["zh-light", "t"],
  ["en-light", "l"],
  ["en-dark", "t"],
];

/** Names of pictures, and where each is taken. */
export function views(incident, file) {
  const admin = ["users", "tokens", "departments", "kinds", "time", "filing", "mutes", "holds", "audit", "ledger"];
  return [
    ["wall", "wall"],
    ["wall-incident", `wall/${incident}`],
    ["review", "review"],
    ["incidents", "incidents"],
    ["incident", `incidents/${incident}`],
    ["cases", "cases"],
    ["case", `cases/${file}`],
    ["map", "map"],
    ["roofs", "roofs"],
    ["reports", "reports"],
    ["cameras", "cameras"],
    ...["draw", "rules", "baselines", "trial", "file"].map((part) => [`setup-${part}`, `setup/willow-court~demo?camera=street&part=${part}`]),
    ["setup-add", "setup/willow-court~demo?part=add"],
    ...admin.map((part) => [`admin-${part}`, `admin/${part}`]),
  ];
}

/** Takes these views in all appearances; the page stands in Chinese and dark before and after. */
export async function takeAll(person, directory, list) {
  await mkdir(directory, { recursive: true });
  for (const [name, place] of list) {
    await visit(person, place);
    await take(person, directory, name);
  }
}

/** Takes what is on the page now in all appearances. */
export async function take(person, directory, name) {
  const { page } = person;
  await settled(person);
  // Live pictures come a moment after the rest.
  await page.locator("main .picture-note:not(.picture-note-stale)").first().waitFor({ state: "detached" });
  for (const [i, [appearance, key]] of APPEARANCES.entries()) {
    if (i > 0) await turn(page, key);
    await page.screenshot({ path: `${directory}/${name}-${appearance}.png`, animations: "disabled" });
  }
  await turn(page, "l");
}

/** Presses a key of the appearance, wherever the keyboard is, and waits until the page wears it. */
async function turn(page, key) {
  const before = await page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dataset.theme}`);
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await page.keyboard.press(key);
  await page.waitForFunction((before) => `${document.documentElement.lang} ${document.documentElement.dataset.theme}` !== before, before);
}
