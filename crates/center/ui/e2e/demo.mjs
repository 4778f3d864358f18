/** The demo as a program of its own: started on a free port, asked where it is, and ended in every case. */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The repository: the demo finds its models and pipelines there. */
export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const START_MS = 180_000;
const STOP_MS = 20_000;

const PAGE = /Page\s+(http:\/\/\S+?)\/?\s/;
const DECISION = /^(\S+Z) .*incident started.* incident=([0-9a-f-]{36})/;
/** What a terminal would draw in colours. */
const STYLE = /\u001b\[[0-9;]*m/g;
const PERSON = /^\s+\S+\s+(\w+) \/ (\S+)\s*$/gm;

/**
 * Starts it and reads its greeting: the page's address and the people's passwords by name. What it logs goes to `log`.
 * `decisions` fills with when, by the node's log, each incident was decided.
 * @returns {Promise<{ page: string, passwords: Record<string, string>, decisions: Map<string, number>, stop(): Promise<void> }>}
 */
export async function startDemo(program, log) {
  const child = spawn(program, ["demo", "--listen", "127.0.0.1:0"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  // However this process ends, the demo does not outlive it.
  process.once("exit", () => child.kill("SIGKILL"));
  const file = createWriteStream(log);
  child.stderr.pipe(file);
  const decisions = new Map();
  createInterface({ input: child.stderr }).on("line", (line) => {
    const [, at, incident] = DECISION.exec(line.replace(STYLE, "")) ?? [];
    if (incident) decisions.set(incident, Date.parse(at));
  });

  const stop = async () => {
    child.kill("SIGINT");
    const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(patience);
  };
  let said = "";
  const greeted = new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`cannot start ${program}: ${error.message}`)));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      file.write(text);
      said += text;
      // The greeting ends with an empty line after the people.
      if (PAGE.test(said) && /Sign in\n(.+\n)+\n/.test(said)) resolve(undefined);
    });
    void ended.then((how) => reject(new Error(`the demo ended before it greeted (${how}); see ${log}`)));
  });
  try {
    await within(greeted, START_MS, `the demo said nothing for ${START_MS / 1000} s; see ${log}`);
  } catch (error) {
    await stop();
    throw error;
  }
  const passwords = Object.fromEntries([...said.matchAll(PERSON)].map(([, name, password]) => [name, password]));
  return { page: PAGE.exec(said)[1], passwords, decisions, stop };
}

/** What `promise` brings, or an error with this text when it takes longer. */
export async function within(promise, milliseconds, text) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(text)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
