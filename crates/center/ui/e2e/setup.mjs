/** The administrator draws a zone with keys alone, saves it, sees that the camera has it, and takes it out again. */
import assert from "node:assert/strict";
import { read, settled, visit } from "./people.mjs";

/** Where it is drawn: a view of the demo in which no rule is about zones of this purpose. */
const PLACE = "setup/willow-court~demo?camera=park";
const CAMERA = "park";
const PURPOSE = "area";

export async function administratorSetsUp(administrator, holds) {
  const { page } = administrator;
  await visit(administrator, PLACE);
  await page.locator(".draw-box > img").waitFor();
  await settled(administrator);
  const before = await zonesOf(administrator);

  await page.getByLabel("用途", { exact: true }).first().selectOption(PURPOSE);
  await page.getByRole("button", { name: "画区域" }).click();
  for (const key of ["Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Shift+ArrowLeft", "Space", "Enter"]) await page.keyboard.press(key);
  const name = await page.getByLabel(/^名称/).inputValue();
  assert.match(name, new RegExp(`^${PURPOSE}`));
  await saves(administrator, "走查：新增区域");
  await taken(administrator, (zones) => zones.some((zone) => zone.id === name && zone.polygon.length === 4));
  holds(`the administrator drew zone ${name} with keys, saved it, and camera ${CAMERA} has it`);

  await page.getByRole("button", { name: "删除区域" }).click();
  await saves(administrator, "走查：移除区域");
  await taken(administrator, (zones) => zones.length === before.length && !zones.some((zone) => zone.id === name));
  holds("zone and file are as they were");
}

/** Looks at the difference, says why, and saves. */
async function saves({ page }, reason) {
  await page.getByRole("button", { name: "查看并保存" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator(".diff-new, .diff-old").first().waitFor();
  await dialog.getByLabel(/^修改原因/).fill(reason);
  await dialog.getByRole("button", { name: "保存", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("已保存，节点正在采用").waitFor();
}

async function zonesOf(person) {
  return (await read(person, "/api/cameras")).find((camera) => camera.camera === CAMERA)?.zones ?? [];
}

/** Until the node has taken the file up and told the center so. */
async function taken(person, holds) {
  while (!holds(await zonesOf(person))) await person.page.waitForTimeout(250);
}
