// This package beside LangGraph's own SqliteSaver, in one process, in turns:
//
//   node bench/run.mjs [--quick]
//
// Each figure is a median. Compare inside a row: what a machine makes of a row differs.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

import { checkpointOf, exchange, messagesOf } from "./states.mjs";

const SIZES = { "3.8 KB": 3_800, "35 KB": 35_000, "235 KB": 235_000, "2 MB": 2_000_000 };
const STEPS = 200;
const quick = process.argv.includes("--quick");
const rounds = quick ? 5 : 25;
const warmUps = quick ? 1 : 5;

const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-bench-"));
const SAVERS = {
  stock: (path) => StockSaver.fromConnString(path),
  normal: (path) => SqliteSaver.fromConnString(path, { synchronous: "normal" }),
  full: (path) => SqliteSaver.fromConnString(path, { synchronous: "full" }),
};

function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}

async function timed(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function put(saver, thread, step, messages) {
  const configurable = { thread_id: thread, checkpoint_ns: "" };
  const checkpoint = checkpointOf(step, messages);
  if (step > 1) configurable.checkpoint_id = checkpointOf(step - 1, []).id;
  const metadata = { source: "loop", step, parents: {} };
  return saver.put({ configurable }, checkpoint, metadata, { messages: step });
}

/** One round: a new thread gets a state, then two messages more, and is read. */
async function measure(saver, thread, bytes) {
  const messages = messagesOf(bytes);
  const first = await timed(() => put(saver, thread, 1, messages));
  messages.push(...exchange(messages.length));
  const append = await timed(() => put(saver, thread, 2, messages));
  const config = { configurable: { thread_id: thread, checkpoint_ns: "" } };
  const read = await timed(() => saver.getTuple(config));
  return { put: first, append, getTuple: read };
}

async function measureSize(label, bytes) {
  const times = {};
  const savers = Object.entries(SAVERS).map(([name, open]) => {
    return [name, open(join(folder, `${name}-${bytes}.db`))];
  });
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const [name, saver] of savers) {
      const measured = await measure(saver, `thread-${round}`, bytes);
      if (round < 0) continue;
      for (const [operation, time] of Object.entries(measured)) {
        times[operation] ??= {};
        times[operation][name] ??= [];
        times[operation][name].push(time);
      }
    }
  }
  for (const [, saver] of savers) saver.db.close();
  for (const [operation, byName] of Object.entries(times)) {
    const cells = Object.keys(SAVERS).map((name) => median(byName[name]));
    printRow(`${operation}, ${label}`, cells, (time) => `${time.toFixed(2)} ms`);
  }
}

/** What a growing chat leaves in the file. */
async function measureBytes() {
  const sizes = [];
  for (const [name, open] of Object.entries(SAVERS)) {
    const path = join(folder, `${name}-chat.db`);
    const saver = open(path);
    const messages = [];
    for (let step = 1; step <= STEPS; step += 1) {
      messages.push(...exchange(step));
      await put(saver, "chat", step, messages);
    }
    // Closing moves the write-ahead log into the file.
    saver.db.close();
    sizes.push(statSync(path).size);
  }
  printRow(`${STEPS} steps of a chat`, sizes, (size) => `${Math.round(size / 1024)} KiB`);
}

function printRow(name, [stock, normal, full], shown) {
  const ratio = (ours) => `${(stock / ours).toFixed(2)}x`;
  print([name, shown(stock), shown(normal), ratio(normal), shown(full), ratio(full)]);
}

function print([name, ...cells]) {
  console.log(`${name.padEnd(22)}${cells.map((cell) => cell.padStart(13)).join("")}`);
}

const probe = SAVERS.stock(join(folder, "probe.db"));
await probe.getTuple({ configurable: { thread_id: "probe" } });
const level = { 1: "normal", 2: "full" }[probe.db.pragma("synchronous", { simple: true })];
probe.db.close();

console.log(`Node.js ${process.versions.node}, ${cpus().length} cores, ${rounds} rounds; medians.`);
console.log(`stock: @langchain/langgraph-checkpoint-sqlite, synchronous ${level} in its WAL mode.`);
console.log("normal, full: this package by its option `synchronous`; full is the default.");
console.log("A ratio over 1 is in this package's favour.\n");
print(["", "stock", "normal", "ratio", "full", "ratio"]);
try {
  for (const [label, bytes] of Object.entries(SIZES)) await measureSize(label, bytes);
  await measureBytes();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
