/**
 * The way from a live incident to a closed case with a printed order, walked in headless Chromium before the demo by the
 * three people who do it, with pictures of every view in `shots/`.
 *
 *     node e2e/walk.mjs PATH_TO_PARAPET [--latency COUNT] [--page DIR]
 *
 * `--latency` stays on the wall, when all else is done and closed, until so many more live incidents were timed, and
 * reports them apart from those that were raised while other work was going on; `--page` shows the page that was built into DIR
 * instead of the program's own. Chromium is Debian's, or the one that CHROMIUM names.
 */
import { mkdir, readFile, rm } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { delays, liveIncident, liveIncidents, quantile, startRecording } from "./clock.mjs";
import { startDemo } from "./demo.mjs";
import { administratorLooks, dispatcherSends, judgedAndHandedOver, operatorComesIn, settledAndClosed } from "./deeds.mjs";
import { evidenceIsHeld } from "./holds.mjs";
import { comeIn, openWindow } from "./people.mjs";
import { administratorSetsUp } from "./setup.mjs";
import { take, takeAll, views } from "./shots.mjs";

const SHOTS = fileURLToPath(new URL("shots", import.meta.url));
/** Slower than this is no alarm any more. */
const MOST_DELAY_MS = 5000;
const MORE_INCIDENTS_MS = 600_000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { latency: { type: "string", default: "1" }, page: { type: "string" } } });
const program = positionals[0] && resolve(positionals[0]);
if (!program) {
  console.error("usage: node e2e/walk.mjs PATH_TO_PARAPET [--latency COUNT] [--page DIR]");
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const began = performance.now();
/** Says what holds now, and since when in this walk. */
const holds = (what) => console.log(`  ok ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);

await rm(SHOTS, { recursive: true, force: true });
await mkdir(SHOTS, { recursive: true });
const demo = await startDemo(program, join(SHOTS, "demo.log"));
let browser;
try {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });
  holds(`the demo is at ${demo.page}`);
  await walk();
  holds("the walk is done");
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  await Promise.all((browser?.contexts() ?? []).flatMap((c) => c.pages()).map((page, i) => page.screenshot({ path: join(SHOTS, `failed-${i}.png`) }).catch(() => {})));
} finally {
  await browser?.close();
  await demo.stop();
}

async function walk() {
  const people = [];
  const arrive = async (language) => {
    const person = await comeIn(browser, demo, language);
    if (values.page) await showPageOf(person, values.page);
    people.push(person);
    return person;
  };

  const operator = await arrive("zh-CN");
  await take(operator, SHOTS, "sign-in");
  await startRecording(operator);
  await operatorComesIn(operator, demo, holds);
  // The wall stays open on the first screen; the work is done in a second window.
  const desk = await openWindow(operator);
  await desk.page.goto("/#/wall");

  const dispatcher = await arrive("en");
  const administrator = await arrive("zh-CN");
  const incident = await liveIncident(operator);
  holds(`live incident ${incident.kind} on camera ${incident.camera} is on the wall, with its picture`);

  const file = await judgedAndHandedOver(desk, incident, holds);
  await dispatcherSends(dispatcher, demo, file, SHOTS, holds);
  await settledAndClosed(desk, dispatcher, file, incident, SHOTS, holds);
  await administratorLooks(administrator, desk, demo, file, program, holds);
  await evidenceIsHeld(dispatcher, administrator, file, incident, SHOTS, holds);
  await administratorSetsUp(administrator, holds);
  await takeAll(administrator, SHOTS, views(incident.id, file.id));
  holds(`pictures of every view are in ${SHOTS}`);

  await liveIncidents(operator, 1, MORE_INCIDENTS_MS);
  const more = Number(values.latency) > 1 ? Number(values.latency) : 0;
  const since = Date.now();
  if (more > 0) {
    // Nothing but the wall: other pages, hidden or not, would take their share of the machine.
    const wall = operator.page;
    await Promise.all(browser.contexts().flatMap((context) => context.pages()).filter((page) => page !== wall).map((page) => page.close()));
    await wall.bringToFront();
    holds(`nothing is open but the wall; it waits for ${more} more live incidents`);
    await liveIncidents(operator, more, more * MORE_INCIDENTS_MS, since);
  }
  const rows = await delays(operator, demo.decisions);
  const during = report("during the walk", rows.filter((row) => row.captured <= since));
  const most = more > 0 ? report("with the wall alone", rows.filter((row) => row.captured > since)) : during;
  if (most >= MOST_DELAY_MS) throw new Error(`an incident took more than ${MOST_DELAY_MS} ms from its decision to the screen`);
  const faults = people.flatMap((person) => person.faults);
  if (faults.length > 0) throw new Error(`the page had faults:\n${faults.join("\n")}`);
  holds("no error on any page, and no answer of the center above 499");
}

/** Says how long each live incident of a part of the walk took to the screen; answers the longest from its decision. */
function report(when, rows) {
  if (rows.length === 0) throw new Error(`no live incident was timed ${when}`);
  console.log(`     ${when}: ${rows.length} live incident${rows.length === 1 ? "" : "s"}`);
  for (const { kind, decided, told, shown } of rows) {
    console.log(`     ${kind.padEnd(20)} captured → decided ${decided} ms; decided → told to the page ${told - decided} ms → on the screen ${shown - decided} ms`);
  }
  const line = (name, values) => `     ${when}, ${name} of ${values.length} incidents: p50 ${quantile(values, 0.5)} ms, p95 ${quantile(values, 0.95)} ms, max ${quantile(values, 1)} ms`;
  const fromDecision = rows.map((row) => row.shown - row.decided);
  console.log(line("decided → on the screen", fromDecision));
  console.log(line("captured → on the screen", rows.map((row) => row.shown)));
  return quantile(fromDecision, 1);
}

/** Serves the page's own files from a directory; the rest still comes from the center. */
async function showPageOf({ context, page }, directory) {
  const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
  // Such a page is of no network for the browser, which would keep it from one on this machine.
  await context.grantPermissions(["local-network-access"]);
  await context.route(
    (url) => url.origin === demo.page && !url.pathname.startsWith("/api/"),
    async (route) => {
      const name = new URL(route.request().url()).pathname;
      const path = join(directory, name === "/" ? "index.html" : name);
      await route.fulfill({ body: await readFile(path), contentType: types[extname(path)] ?? "application/octet-stream" });
    },
  );
  await page.reload();
}
