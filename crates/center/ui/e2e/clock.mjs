/**
 * How long it takes from the decision at the node until the card is on the operator's screen, and from the capture of the
 * frame that decided. Everything runs on one machine, so all times are of one clock.
 */
import { read } from "./people.mjs";

/** Runs in the page before anything else: keeps what the live feed told, and when each card was first painted. */
function record() {
  const kept = { opened: Date.now(), incidents: {}, told: {}, shown: {} };
  window.walk = kept;
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...how) {
      super(...how);
      this.addEventListener("message", ({ data }) => {
        if (typeof data !== "string") return;
        const message = JSON.parse(data);
        if (message.type !== "incident") return;
        kept.told[message.incident.id] ??= Date.now();
        kept.incidents[message.incident.id] = message.incident;
      });
    }
  };
  const look = (node) => {
    if (!(node instanceof Element)) return;
    const cards = node.matches("[data-incident]") ? [node] : node.querySelectorAll("[data-incident]");
    for (const { dataset } of cards) {
      const { incident } = dataset;
      if (incident in kept.shown) continue;
      kept.shown[incident] = null;
      // The callback runs before the paint, a message posted in it comes after.
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => (kept.shown[incident] = Date.now());
        port2.postMessage(null);
      });
    }
  };
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(look))).observe(document, { childList: true, subtree: true });
}

/** From the next load of the page on. */
export async function startRecording({ page }) {
  await page.addInitScript(record);
}

/** Waits for an incident that a camera raises while the wall is open, until its marked picture is there. */
export async function liveIncident({ page }, besides = [], timeout = 150_000) {
  const found = await page.waitForFunction(
    (besides) =>
      Object.values(window.walk.incidents).find(
        (i) => Date.parse(i.started_at) > window.walk.opened && window.walk.shown[i.id] && i.status === "new" && i.evidence.includes("annotated") && !besides.includes(i.id),
      ),
    besides,
    { timeout, polling: 200 },
  );
  return found.jsonValue();
}

/** Waits until at least so many were raised after this moment and shown; without one, after the wall was opened. */
export async function liveIncidents({ page }, count, timeout, since = 0) {
  await page.waitForFunction(
    ([count, since]) => {
      const { incidents, opened, shown } = window.walk;
      return Object.values(incidents).filter((i) => Date.parse(i.started_at) > Math.max(opened, since) && shown[i.id]).length >= count;
    },
    [count, since],
    { timeout, polling: 500 },
  );
}

/** What was measured, in milliseconds from the capture, of each incident that was raised while the wall was open. */
export async function delays(person, decisions) {
  const { opened, incidents, told, shown } = await person.page.evaluate(() => window.walk);
  const rows = [];
  for (const { id, kind } of Object.values(incidents)) {
    if (!decisions.has(id) || !shown[id]) continue;
    const { events } = await read(person, `/api/incidents/${id}`);
    const captured = Date.parse(events.find((event) => event.sequence === 0).at);
    if (captured > opened) rows.push({ kind, captured, decided: decisions.get(id) - captured, told: told[id] - captured, shown: shown[id] - captured });
  }
  return rows;
}

/** The value that this share of them does not exceed (nearest rank). */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
