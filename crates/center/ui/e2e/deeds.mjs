/** What each person does on the way of a case, and what has to hold after each deed. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ask, enter, read, signIn, visit } from "./people.mjs";
import { picture } from "./picture.mjs";

/** The demo's sites, as the reader of each language knows them. */
const SITES = [
  ["柳岸小区", "Willow Court"],
  ["茶山小区", "Tea Hill"],
];
/** The demo's street office, which gets the order. */
const OFFICE = { id: "east-street", en: "East Street enforcement team" };
const INSTRUCTION = "请于期限内现场核实，清理后反馈照片。Check on site, clear it, and answer with pictures.";
/** A printed order with a picture in it is larger than this. */
const LEAST_PAPER_BYTES = 10_000;

/** The operator is refused with a wrong password, then signs in and sees the wall with both sites. */
export async function operatorComesIn(operator, demo, holds) {
  const { page } = operator;
  await page.reload();
  await enter(operator, "operator", "not-the-password");
  const refusal = page.getByRole("alert");
  await refusal.waitFor();
  assert.match(await refusal.innerText(), /[\u4e00-\u9fff]/, "the refusal is in Chinese");
  assert.equal(await page.getByRole("navigation").count(), 0, "nothing of the room is shown");
  holds("a wrong password is refused");

  await signIn(operator, demo, "operator");
  await page.locator(".wall .tile").nth(4).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  const groups = page.getByLabel("分组", { exact: true });
  for (const [name] of SITES) await groups.locator("option", { hasText: `小区：${name}` }).waitFor({ state: "attached" });
  await page.locator(".connection-open").waitFor();
  holds("the operator is signed in; the wall shows the cameras of two sites");
}

/** The operator opens the queue, comes to this incident, and hands it over; answers the case. */
export async function judgedAndHandedOver(operator, incident, holds) {
  const { page } = operator;
  await page.locator(".rail").waitFor();
  const answer = () => page.waitForResponse((response) => response.url().includes("/api/review/next") && response.request().method() === "POST");
  let [next] = await Promise.all([answer(), page.keyboard.press("q")]);
  for (;;) {
    const { incident: one } = await next.json();
    assert.ok(one, "the live incident is in the queue");
    await page.locator(".review-one .facts", { hasText: one.incident.id.slice(0, 8) }).waitFor();
    if (one.incident.id === incident.id) break;
    [next] = await Promise.all([answer(), page.keyboard.press("n")]);
  }
  await page.locator(".review-one .marked image").waitFor();
  await page.locator(".review-one .site-map svg").first().waitFor();
  holds("the queue shows it with its picture, its zone and its place");

  await page.keyboard.press("h");
  const told = page.getByRole("status").filter({ hasText: "已列入案件" });
  await told.waitFor();
  const number = /AJ\d{4}-\d{6}/.exec(await told.innerText())?.[0];
  assert.ok(number, "the case has a number");
  const { incident: filed } = await read(operator, `/api/incidents/${incident.id}`);
  assert.equal(filed.judged_by, "operator");
  assert.ok(filed.case_id, "the incident knows its case");
  holds(`confirmed and handed over: case ${number}`);
  return { id: filed.case_id, number };
}

/** Chooses an action of a case, fills in what it asks for, and waits until it is done. */
async function act(person, action, fill = async () => {}) {
  const { page } = person;
  await page.locator(".case-actions").getByRole("button", { name: action, exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await fill(dialog);
  await dialog.getByRole("button", { name: action, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Waits until the case stands at this step. */
async function stands({ page }, step) {
  await page.locator('.way [aria-current="step"]', { hasText: step }).waitFor();
}

/** The dispatcher finds the case, accepts it, and sends it to an office; the order can be read, printed and kept. */
export async function dispatcherSends(dispatcher, demo, file, shots, holds) {
  const { page, context } = dispatcher;
  await signIn(dispatcher, demo, "dispatcher");
  await visit(dispatcher, "cases");
  await page.getByLabel("Search text").fill(file.number);
  const rows = page.locator(".case-table tbody tr");
  await rows.filter({ hasText: file.number }).waitFor();
  await rows.nth(1).waitFor({ state: "detached" });
  await page.getByRole("link", { name: file.number }).click();
  await stands(dispatcher, "Reported");
  holds("the dispatcher finds the case by its number");

  await act(dispatcher, "Accept");
  await stands(dispatcher, "Accepted");
  await act(dispatcher, "Dispatch", async (dialog) => {
    await dialog.getByLabel("Department").selectOption(OFFICE.id);
    await dialog.getByLabel("Instruction").fill(INSTRUCTION);
  });
  await stands(dispatcher, "Dispatched");
  const order = page.locator(".orders li");
  await order.getByText(OFFICE.en).waitFor();
  await order.getByText(INSTRUCTION).waitFor();
  const number = /JB\d{4}-\d{6}/.exec(await order.innerText())?.[0];
  assert.ok(number, "the order has a number");
  holds(`accepted and sent to the street office: order ${number}`);

  const [paper] = await Promise.all([context.waitForEvent("page"), order.getByRole("link", { name: "Open and print" }).click()]);
  await paper.waitForLoadState("load");
  const text = await paper.locator("body").innerText();
  for (const part of [number, file.number, INSTRUCTION, OFFICE.en]) assert.ok(text.includes(part), `the order says ${part}`);
  const drawn = await paper.evaluate(() => [...document.images].map((image) => image.naturalWidth));
  assert.ok(drawn.length > 0 && drawn.every((width) => width > 0), "the order shows its pictures");
  await paper.screenshot({ path: join(shots, "order-html.png"), fullPage: true });
  const printed = await paper.pdf({ path: join(shots, "order-printed.pdf"), format: "A4", printBackground: true });
  assertPdf(printed);
  await paper.close();

  for (const language of ["en", "zh-CN"]) {
    const address = (await order.getByRole("link", { name: "PDF" }).getAttribute("href")).replace("language=en", `language=${language}`);
    const answer = await page.request.get(address);
    assert.equal(answer.status(), 200, `GET ${address}`);
    assert.match(answer.headers()["content-type"], /^application\/pdf/);
    assertPdf(await answer.body());
  }
  holds(`the order is read as a page, printed by the browser (${Math.round(printed.length / 1000)} kB), and had as PDF in both languages`);
}

function assertPdf(bytes) {
  assert.equal(bytes.subarray(0, 5).toString("latin1"), "%PDF-");
  assert.ok(bytes.length > LEAST_PAPER_BYTES, `a PDF of ${bytes.length} bytes`);
}

/** The order is answered, the answer is not enough, the second one is; the case is closed, and all of it is told. */
export async function settledAndClosed(operator, dispatcher, file, incident, shots, holds) {
  const answer = async (text) => {
    await visit(operator, `cases/${file.id}`);
    const form = operator.page.locator(".answer-form");
    await form.getByLabel("处置情况").fill(text);
    await form.locator("input[type=file]").setInputFiles({ name: "现场.png", mimeType: "image/png", buffer: picture() });
    await form.locator(".answer-preview img").waitFor();
    await form.getByRole("button", { name: "提交反馈" }).click();
    await operator.page.locator(".answer-text", { hasText: text }).waitFor();
    await stands(operator, "处置");
    await stands(dispatcher, "Handled");
  };
  await answer("车辆已驶离，地面已清理。");
  const shown = dispatcher.page.locator(".answers .answer-pictures img");
  await shown.waitFor();
  await dispatcher.page.waitForFunction(() => document.querySelector(".answers .answer-pictures img").naturalWidth > 0);
  await act(dispatcher, "Check failed", (dialog) => dialog.getByLabel("Reason").fill("There is still something in the lane."));
  await stands(dispatcher, "Dispatched");
  await answer("已再次清理完毕。");
  await act(dispatcher, "Check passed");
  await stands(dispatcher, "Verified");
  await act(dispatcher, "Close");
  await stands(dispatcher, "Closed");
  holds("answered with a picture, not enough, answered again, checked and closed");

  const wanted = WAY.map(([actor, , english]) => `${english} · ${actor}`).reverse();
  const told = await dispatcher.page.locator(".case-panel .timeline .entry-title").allInnerTexts();
  assert.deepEqual(told.map((title) => title.split(" → ")[0]), wanted, "the record tells each deed with who did it");
  await dispatcher.page.screenshot({ path: join(shots, "case-closed.png") });
  const { incident: over } = await read(dispatcher, `/api/incidents/${incident.id}`);
  assert.equal(over.status, "closed");
  await visit(dispatcher, `incidents/${incident.id}`);
  await dispatcher.page.locator(".panel-head .status", { hasText: "Closed" }).waitFor();
  holds("the record names each deed and person; the incident is closed with its case");
}

/** The way of the case: who did what. */
const WAY = [
  ["operator", "report", "Report"],
  ["dispatcher", "accept", "Accept"],
  ["dispatcher", "dispatch", "Dispatch"],
  ["operator", "answer", "Answer"],
  ["dispatcher", "check_fail", "Check failed"],
  ["operator", "answer", "Answer"],
  ["dispatcher", "check_pass", "Check passed"],
  ["dispatcher", "close", "Close"],
];

/** The administrator reads what was done and what proves it; others are refused what is not theirs. */
export async function administratorLooks(administrator, operator, demo, file, program, holds) {
  const { page } = administrator;
  await signIn(administrator, demo, "administrator");
  await visit(administrator, "admin/audit");
  await page.getByLabel("对象类别").fill("case");
  await page.getByLabel("对象编号").fill(file.id);
  await page.getByRole("button", { name: "查询" }).click();
  const rows = page.locator(".admin-table tbody tr");
  await rows.filter({ hasText: file.id }).nth(WAY.length - 1).waitFor();
  await rows.nth(WAY.length).waitFor({ state: "detached" });
  const deeds = await rows.evaluateAll((all) => all.map((row) => [row.querySelector("b").textContent, row.querySelector("code").textContent]));
  assert.deepEqual(deeds.reverse(), WAY.map(([actor, action]) => [actor, `case.${action}`]));
  holds("the audit log has each deed of the case");

  const archive = await download(page, async () => {
    await visit(administrator, `cases/${file.id}`);
    await page.getByRole("link", { name: "下载归档包" }).click();
  });
  const { stdout } = await promisify(execFile)(program, ["evidence", "verify", archive.path]);
  assert.ok(stdout.length > 0);
  holds("the case's archive is whole, says `parapet evidence verify`");

  await visit(administrator, "admin/ledger");
  const chains = page.locator(".admin-card", { hasText: "签名检查点" });
  await chains.first().waitFor();
  for (const chain of await chains.allInnerTexts()) assert.doesNotMatch(chain, /尚无检查点/, "each chain has a signed checkpoint");
  holds("the ledger shows a signed checkpoint");

  await visit(administrator, "admin/time");
  await page.getByRole("heading", { name: "工作日历", exact: true }).waitFor();
  await visit(administrator, "reports");
  for (const [name] of SITES) await page.locator(".reports-table tr", { hasText: name }).getByText(/^\d+\.\d$/).waitFor();
  const month = page.locator(".reports .exports");
  assert.match(await textOf(download(page, () => month.getByRole("link", { name: "CSV" }).click())), new RegExp(SITES[0][0]));
  assertPdf((await download(page, () => month.getByRole("link", { name: "PDF" }).click())).bytes);
  holds("the calendar opens; the month's report has a score for each site, and comes as CSV and PDF");

  await visit(administrator, "cases");
  await page.getByLabel("搜索文字").fill(file.number);
  await page.locator(".case-table tbody tr", { hasText: file.number }).waitFor();
  await page.locator(".case-table tbody tr").nth(1).waitFor({ state: "detached" });
  assert.match(await textOf(download(page, () => page.getByRole("link", { name: "CSV" }).click())), new RegExp(file.number));
  const sheet = await download(page, () => page.getByRole("link", { name: "XLSX" }).click());
  assert.equal(sheet.bytes.subarray(0, 2).toString("latin1"), "PK");
  holds("search finds the case; the list comes as CSV and XLSX");

  const settings = await read(administrator, "/api/settings");
  for (const [method, path, body] of [
    ["GET", "/api/users"],
    ["GET", "/api/audit"],
    ["PUT", "/api/settings/calendar", settings.calendar],
    ["POST", `/api/cases/${file.id}/actions`, { action: "reopen", reason: "not mine to do" }],
  ]) {
    assert.equal((await ask(operator, method, path, body)).status, 403, `${method} ${path} by an operator`);
  }
  assert.equal((await ask(administrator, "PUT", "/api/settings/calendar", settings.calendar)).status < 300, true, "and the administrator may");
  await visit(operator, "admin/users");
  await operator.page.locator(".admin-nav button").first().waitFor();
  assert.deepEqual(await operator.page.locator(".admin-nav button").allInnerTexts(), ["暂不提醒"], "the operator sees one part");
  holds("an operator is refused what only others may");
}

/** What a click brings as a file. */
async function download(page, click) {
  const [file] = await Promise.all([page.waitForEvent("download"), click()]);
  const path = await file.path();
  return { path, bytes: await readFile(path) };
}

async function textOf(file) {
  return (await file).bytes.toString("utf8");
}
