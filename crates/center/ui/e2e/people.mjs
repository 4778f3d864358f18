/** A person before the page: an own browser context, an own language, and what went wrong on the page. */
import assert from "node:assert/strict";

/** Words of the page that the walk looks for, as a reader sees them. */
export const WORDS = {
  "zh-CN": { name: "用户名", password: "密码", signIn: "登录", main: "主导航" },
  en: { name: "User name", password: "Password", signIn: "Sign in", main: "Main navigation" },
};

/** Longer than a person would wait, for machines that have other work to do. */
const PATIENCE_MS = 60_000;

/** Opens the page for a person who is not signed in yet. */
export async function comeIn(browser, demo, language, theme = "dark") {
  const context = await browser.newContext({
    baseURL: demo.page,
    viewport: { width: 1600, height: 900 },
    locale: language,
    timezoneId: "Asia/Shanghai",
    acceptDownloads: true,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const person = await openWindow({ context, language, faults: [] });
  await person.page.goto(`/?lang=${language}&theme=${theme}`);
  return person;
}

/** Another window of the same person, still empty. */
export async function openWindow({ context, language, faults }) {
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`error on the page: ${error.message}`));
  page.on("response", (response) => response.status() >= 500 && faults.push(`${response.status()} for ${response.request().method()} ${response.url()}`));
  // What the center refuses is told there, too, and is part of the walk; what the browser refuses is not.
  page.on("console", (message) => message.type() === "error" && !/the server responded with a status of 4\d\d/.test(message.text()) && faults.push(`console: ${message.text()}`));
  const asked = new Set();
  page.on("request", (request) => {
    // What the page before asked for is never told of again.
    if (request.isNavigationRequest()) asked.clear();
    if (["fetch", "script"].includes(request.resourceType())) asked.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => asked.delete(request));
  return { context, language, faults, page, asked };
}

/** Signs in as one of the demo's people, through the form. */
export async function signIn(person, demo, name) {
  const words = WORDS[person.language];
  await enter(person, name, demo.passwords[name]);
  await person.page.getByRole("navigation", { name: words.main }).waitFor();
}

/** Fills the form in and sends it. */
export async function enter({ page, language }, name, password) {
  const words = WORDS[language];
  await page.getByLabel(words.name).fill(name);
  await page.getByLabel(words.password, { exact: true }).fill(password);
  await page.getByRole("button", { name: words.signIn }).click();
}

/** Goes to a place in the page, by its address, until the view is drawn. */
export async function visit({ page }, place) {
  await page.evaluate(async (hash) => {
    if (window.location.hash === hash) return;
    const gone = new Promise((resolve) => window.addEventListener("hashchange", resolve, { once: true }));
    window.location.hash = hash;
    await gone;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }, `#/${place}`);
}

/** Until all that the page asked for has come, with its pictures, and nothing on it waits. */
export async function settled({ page, asked }) {
  const waits = () => page.locator("main .spin").count();
  do {
    while (asked.size > 0) await Promise.race(["requestfinished", "requestfailed"].map((end) => page.waitForEvent(end)));
    await page.locator("main .spin").first().waitFor({ state: "detached" });
    await page.waitForFunction(() => [...document.images].every((picture) => picture.complete || picture.loading === "lazy"));
    // What has come is drawn, and may ask for more.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  } while (asked.size > 0 || (await waits()) > 0);
}

/** Asks the center with the person's session, with the token that a change needs; answers status and body. */
export async function ask({ page }, method, path, body) {
  return page.evaluate(
    async ([method, path, body]) => {
      const { csrf } = await (await fetch("/api/session")).json();
      const headers = { "content-type": "application/json", "x-parapet-csrf": csrf };
      const response = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      return { status: response.status, body: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
    },
    [method, path, body],
  );
}

/** Reads something that has to be there. */
export async function read(person, path) {
  const { status, body } = await ask(person, "GET", path);
  assert.equal(status, 200, `GET ${path}`);
  return body;
}
