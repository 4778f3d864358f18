/** Evidence is held by one who works on the case and let go by another one; deleting it takes two people, and is withdrawn here. */
import assert from "node:assert/strict";
import { ask, visit } from "./people.mjs";
import { take } from "./shots.mjs";

const REASON = "The court asks for it. 法院调取。";
const TOO_MUCH = "画面中有未成年人";

export async function evidenceIsHeld(dispatcher, administrator, file, incident, shots, holds) {
  await visit(dispatcher, `cases/${file.id}`);
  await press(dispatcher, "Hold the evidence", (dialog) => dialog.getByLabel("Reason").fill(REASON));
  const kept = dispatcher.page.locator(".keeping-held", { hasText: REASON });
  await kept.getByText(/held by dispatcher, /).waitFor();
  assert.equal(await dispatcher.page.getByRole("button", { name: "Lift the hold" }).count(), 0, "who works on the case does not lift it");
  holds("the dispatcher holds the case's evidence and cannot lift the hold");

  const { page } = administrator;
  await visit(administrator, "admin/holds");
  const inForce = page.getByRole("region", { name: "保全中" }).locator("tbody tr", { hasText: file.number });
  await inForce.getByText(REASON).waitFor();
  await take(administrator, shots, "holds-in-force");
  await visit(administrator, `incidents/${incident.id}`);
  await page.locator(".keeping-held", { hasText: REASON }).waitFor();
  assert.equal(await page.getByRole("button", { name: "申请删除" }).count(), 0, "what is held cannot be deleted");
  const refused = await ask(administrator, "POST", `/api/incidents/${incident.id}/deletion`, { reason: TOO_MUCH });
  assert.equal(refused.body.code, "held");
  holds("the administrator finds it among the holds; deleting it is refused");

  await visit(administrator, `cases/${file.id}`);
  await press(administrator, "解除保全");
  await page.locator(".keeping-held").waitFor({ state: "detached" });
  await visit(administrator, `incidents/${incident.id}`);
  await press(administrator, "申请删除", (dialog) => dialog.getByLabel("原因").fill(TOO_MUCH));
  await page.locator(".keeping-pending", { hasText: TOO_MUCH }).waitFor();
  assert.ok(await page.getByRole("button", { name: "批准删除" }).isDisabled(), "who asked does not approve");
  const alone = await ask(administrator, "POST", `/api/incidents/${incident.id}/deletion/approve`);
  assert.equal(alone.body.code, "same_person");
  await visit(administrator, "admin/holds");
  await page.getByRole("region", { name: "待批准的删除" }).locator("tbody tr", { hasText: TOO_MUCH }).waitFor();
  await take(administrator, shots, "holds-pending");
  await press(administrator, "撤回申请");
  await page.getByText("没有待批准的删除申请。").waitFor();
  holds("let go, it may be deleted, but not by one person alone; the request is withdrawn");
}

/** Presses a button, fills the window in that it opens, and sends it. */
async function press({ page }, name, fill = async () => {}) {
  await page.getByRole("button", { name, exact: true }).click();
  const dialog = page.getByRole("dialog");
  await fill(dialog);
  await dialog.getByRole("button", { name, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}
