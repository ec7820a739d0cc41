// `cargo xtask matrix`: every runtime, every store. Fails when a cell breaks.

import { oldestPeers } from "./oldest.mjs";
import { packagedCases } from "./packaged.mjs";
import { publish } from "./publish.mjs";
import { relay } from "./relay.mjs";
import { firstLine, relayRunners, runtimes } from "./runtimes.mjs";
import { Selection } from "./selection.mjs";
import { sizeOf } from "./sizes.mjs";

const COLD_ROUNDS = 5;
/** The expected results for a channel of 5 MB, a row of 3 MB, and a filter of 60 keys. */
const LIMITS = {
  large: "stored",
  huge: "storage-too-large",
  asked: "oversized-filter",
  whole: true,
  latest: "1",
};
/** A cell that takes longer hangs, even on a busy machine. */
const CELL_MS_MAX = 240_000;
const NOTES = '["first","hello, note 1"]';

const quick = process.argv.includes("--quick");
const [only] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const selection = new Selection(only);

const rows = [];
for await (const cell of runtimes()) {
  if (!selection.has(`${cell.runtime} ${cell.version} ${cell.store}`)) continue;
  const row = await inTime(cell);
  rows.push(row);
  console.log(shown(row));
}
if (!quick && selection.isAll) publish(rows);
if (selection.isAll) rows.push(relayed());
if (selection.has("packages")) {
  for await (const { name, breaks, notRun } of packagedCases()) {
    const said = notRun === undefined ? (breaks[0] ?? "works") : `not run: ${notRun}`;
    console.log(`package, ${name}: ${said}`);
    rows.push({ cell: { runtime: "package", version: "", store: name }, breaks });
  }
}
if (selection.has("oldest")) {
  const { name, breaks } = oldestPeers();
  console.log(`oldest peers, ${name}: ${breaks[0] ?? "works"}`);
  rows.push({ cell: { runtime: "oldest peers", version: "", store: name }, breaks });
}
const broken = rows.filter(({ breaks }) => breaks.length > 0);
for (const { cell, breaks } of broken) {
  console.error(`${cell.runtime} ${cell.version}, ${cell.store}: ${breaks.join("; ")}`);
}
if (selection.missed !== undefined) console.error(selection.missed);
// Without this call, a hanging runtime would keep the process alive.
process.exit(broken.length > 0 || rows.length === 0 ? 1 : 0);

/** Measures a cell, once more if its runtime hangs, as workerd sometimes does. */
async function inTime(cell) {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const late = AbortSignal.timeout(CELL_MS_MAX);
    const hung = new Promise((resolve) => {
      late.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const row = await Promise.race([measured(cell), hung]);
    if (row !== undefined) return row;
    console.error(`${cell.runtime} ${cell.version}, ${cell.store}: did not end in time`);
  }
  const { runtime, version, store } = cell;
  return { cell: { runtime, version, store }, breaks: ["its runtime hangs"] };
}

/** The row of the relay: one file, written by one host after the other. */
function relayed() {
  const runners = relayRunners();
  const names = runners.map(({ name }) => name).join(", ");
  const row = { cell: { runtime: "relay", version: "", store: names }, breaks: [] };
  try {
    const [together, alone] = relay(runners);
    if (together !== alone) row.breaks.push("the file does not hold the bytes of one host alone");
    else console.log(`relay of ${names}: the bytes of one host alone, ${together.slice(0, 16)}`);
  } catch (thrown) {
    row.breaks.push(firstLine(thrown));
  }
  return row;
}

async function measured(cell) {
  const { runtime, version, store, entry, reason } = cell;
  const row = { cell: { runtime, version, store, reason }, breaks: [] };
  if (reason !== undefined) return row;
  row.size = await sizeOf(entry);
  try {
    row.cold = await coldStarts(cell, "cold");
    if (cell.stock && !quick) row.stock = await coldStarts(cell, "stock");
    await runTasks(cell, row);
  } catch (thrown) {
    row.breaks.push(firstLine(thrown));
  }
  return row;
}

async function coldStarts(cell, task) {
  const times = [];
  for (let round = 0; round < (quick ? 1 : COLD_ROUNDS); round += 1) {
    const running = await cell.start(cell.entry);
    try {
      times.push((await running.ask(task)).ms);
    } finally {
      await running.close();
    }
  }
  times.sort((one, other) => one - other);
  return times[Math.floor(times.length / 2)];
}

async function runTasks(cell, row) {
  const running = await cell.start(cell.entry);
  try {
    row.kit = await running.ask("kit");
    row.breaks.push(...row.kit.failures);
    const { notes } = await running.ask("example");
    row.example = JSON.stringify(notes) === NOTES;
    if (!row.example) row.breaks.push("the README's example gives another state");
    if (cell.reloads) await resume(running, row);
    if (cell.limited) await meetLimits(running, row);
    if (cell.limited) await interrupted(running, row);
    if (cell.limited) await count(running, row);
  } finally {
    await running.close();
  }
}

/** A page runs an agent up to its question, and the reloaded page answers it. */
async function resume(running, row) {
  await running.ask("agent");
  await running.reload();
  const { notes } = await running.ask("agent", "Ana");
  if (notes.at(-1) !== "hello, Ana") row.breaks.push("a reloaded page does not resume the agent");
}

/** What the platform bills of a superstep. */
async function count(running, row) {
  row.cost = await running.ask("cost");
  if (!row.cost.whole) row.breaks.push("the thread whose cost is counted is not whole");
  const { store } = row.cell;
  if (store === "D1" && row.cost.requests !== 1) {
    row.breaks.push(`a superstep takes ${row.cost.requests} requests to D1`);
  }
}

/** A node of a graph asks a question and goes on with the answer. */
async function interrupted(running, row) {
  const { notes } = await running.ask("agent");
  if (notes.join("; ") !== "who are you?; hello, Ana") row.breaks.push(`an agent says ${notes}`);
}

async function meetLimits(running, row) {
  const met = await running.ask("limits");
  for (const [name, expected] of Object.entries(LIMITS)) {
    if (met[name] !== expected) row.breaks.push(`limits: ${name} is ${met[name]}`);
  }
}

function shown({ cell, kit, cold, stock, size, breaks }) {
  const name = `${cell.runtime} ${cell.version}, ${cell.store}`;
  if (cell.reason !== undefined) return `${name}: not run: ${cell.reason}`;
  if (kit === undefined) return `${name}: BROKEN: ${breaks[0]}`;
  const part = (of) => `${of.passed}/${of.all}`;
  const beside = stock === undefined ? "" : ` (stock ${stock.toFixed(0)} ms)`;
  return (
    `${name}: conformance ${part(kit.conformance)}, transcripts ${part(kit.transcripts)}, ` +
    `rules ${part(kit.rules)}, cold start ${cold.toFixed(0)} ms${beside}, ` +
    `${(size.gzip / 1000).toFixed(0)} KB gzip${breaks.length > 0 ? " BROKEN" : ""}`
  );
}
