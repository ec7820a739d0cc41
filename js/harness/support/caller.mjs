// A process that follows a plan on a SQLite file, or on a PostgreSQL server:
//
//   node caller.mjs <plan> <log> <database>
//
// Before a call it appends `B <process> <call> <saver>` to the log, and after it `E <process>
// <call> <result>`. All processes append to one log, so the log's order is the order of events: a
// call that ends before another begins came first.
//
// It prints `ready`, and starts when its input ends, so that all processes start together.

import { openSync, readFileSync, writeSync } from "node:fs";

import { withTexts } from "./plan.mjs";
import { closeSaver, openSaver, perform } from "./savers.mjs";

const [planPath, logPath, database] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planPath, "utf8"));
const log = openSync(logPath, "a");
const say = (...words) => writeSync(log, `${words.join(" ")}\n`);
const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

let saver;
let opened = 0;
let waiting = [];

async function make(call) {
  say("B", plan.name, call.n, opened);
  const result = await perform(saver, withTexts(plan, call)).then(
    (read) => ({ read }),
    (thrown) => failure(thrown),
  );
  say("E", plan.name, call.n, JSON.stringify(result));
}

function failure(thrown) {
  const { code, name, message, cause } = thrown;
  // Errors of SQLite do not say what was stored.
  const stored = thrown.stored ?? (plan.options.plain ? "unknown" : undefined);
  return { failed: { code, stored, name, message, cause: cause?.code ?? cause?.message } };
}

async function waitForAll() {
  await Promise.all(waiting);
  waiting = [];
}

process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.on("end", resolve).resume());

for (const { open, calls, wait, alone, kill } of plan.turns) {
  if (alone) await waitForAll();
  if (open !== undefined) {
    await waitForAll();
    await closeSaver(saver);
    saver = openSaver(database, { ...plan.options, ...open });
    opened += 1;
  }
  for (const call of calls) {
    const made = make(call);
    if (wait === "each") await made;
    else waiting.push(made);
  }
  if (kill !== undefined) {
    for (let turn = 0; turn < kill; turn += 1) await turnOfTheLoop();
    process.kill(process.pid, "SIGKILL");
  }
  if (wait === "later") await turnOfTheLoop();
  else await waitForAll();
}
await waitForAll();
await closeSaver(saver);
