// Measures the calls about whole threads, on SQLite:
//
//   node bench/lifecycle.mjs [--quick]
//
// Prints the time of each call, and of its longest transaction that writes, for which others wait.
// Memory is what the process grows by at most, in a process of its own.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

import { growChat } from "./chat.mjs";
import { median, timed } from "./sampling.mjs";

const THREAD = "thread";
const CHUNKS_OF_A_STATE = 500;

const quick = process.argv.includes("--quick");
const sizes = quick
  ? { steps: 200, chunks: 10_000, threads: 1000, checkpoints: 20 }
  : { steps: 1000, chunks: 100_000, threads: 10_000, checkpoints: 100 };

/** A saver on a file, and the milliseconds of its transactions that write. */
function open(path) {
  const db = new Database(path, { timeout: 0 });
  const locks = [];
  const prepare = db.prepare.bind(db);
  let begun = 0;
  db.prepare = (text) => {
    const statement = prepare(text);
    const run = statement.run.bind(statement);
    if (text === "BEGIN IMMEDIATE") {
      statement.run = () => {
        const result = run();
        begun = performance.now();
        return result;
      };
    } else if (text === "COMMIT") {
      statement.run = () => {
        const result = run();
        if (begun > 0) locks.push(performance.now() - begun);
        begun = 0;
        return result;
      };
    }
    return statement;
  };
  return { db, saver: new SqliteSaver(db, undefined, { synchronous: "normal" }), locks };
}

function show(what, figure) {
  console.log(`${what.padEnd(64)}${figure}`);
}

const ms = (value) => `${value.toFixed(1).padStart(9)} ms`;
const both = ({ time, cpu }) => `${ms(time)}${ms(cpu)} of CPU`;

/** The milliseconds of a call: by the clock, and of the processor, also with other programs. */
async function timesOf(call) {
  const before = process.cpuUsage();
  const time = await timed(call);
  const { user, system } = process.cpuUsage(before);
  return { time, cpu: (user + system) / 1000 };
}

/** Measures a call, and its longest transaction that writes. */
async function measure(what, { locks }, call) {
  locks.length = 0;
  show(what, both(await timesOf(call)));
  const count = `  the longest of ${locks.length} transactions that write`;
  if (locks.length > 0) show(count, ms(Math.max(...locks)));
}

/** A thread with this many chunks that only older checkpoints have, and a few of the latest. */
async function fill(saver, chunks) {
  const configurable = { thread_id: THREAD, checkpoint_ns: "" };
  for (let step = 0; step <= chunks / CHUNKS_OF_A_STATE; step += 1) {
    const id = `1f000000-0000-6000-8000-${String(step).padStart(12, "0")}`;
    const isLast = (step + 1) * CHUNKS_OF_A_STATE > chunks;
    const items = Array.from({ length: isLast ? 2 : CHUNKS_OF_A_STATE }, (_, item) => {
      return `${step} ${item} ${"word ".repeat(40)}`;
    });
    const checkpoint = { v: 4, id, ts: "2027-01-01T00:00:00.000Z", versions_seen: {} };
    const values = { channel_values: { items }, channel_versions: { items: step + 1 } };
    const metadata = { source: "loop", step, parents: {} };
    const versions = { items: step + 1 };
    await saver.put({ configurable }, { ...checkpoint, ...values }, metadata, versions);
  }
}

/** Threads with small states. Rows are copied, as only their columns are read. */
async function manyThreads({ db, saver }, { threads, checkpoints }) {
  const configurable = { thread_id: "chat-0", checkpoint_ns: "" };
  const checkpoint = { v: 4, ts: "2027-01-01T00:00:00.000Z", versions_seen: {} };
  const values = { channel_values: { count: 1 }, channel_versions: { count: 1 } };
  const metadata = { source: "loop", step: 1, parents: {}, user: "someone" };
  const id = `1f000000-0000-6000-8000-${"0".repeat(12)}`;
  await saver.put({ configurable }, { ...checkpoint, ...values, id }, metadata, { count: 1 });
  db.exec(`
    BEGIN;
    WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ${threads - 1})
    INSERT INTO lg_threads (thread_key, thread_id, generation)
    SELECT thread_key + at, 'chat-' || at, 0 FROM lg_threads CROSS JOIN n
    WHERE thread_id = 'chat-0';
    WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ${checkpoints})
    INSERT INTO lg_records (thread_key, checkpoint_ns, checkpoint_id, task_id, idx,
      parent_checkpoint_id, created_at, channels, metadata, envelope)
    SELECT t.thread_key, '', printf('1f000000-0000-6000-8000-%012d', t.thread_key * 1000 + at), '',
      0, NULL, created_at, channels, metadata, envelope
    FROM lg_threads t CROSS JOIN n CROSS JOIN (SELECT * FROM lg_records LIMIT 1);
    COMMIT;
  `);
}

/** The bytes that a prune of a file's thread makes a process grow by. */
async function memoryOfPrune(path) {
  const { db, saver } = open(path);
  // Compiles the component, and everything that a small prune takes.
  await saver.put(
    { configurable: { thread_id: "small", checkpoint_ns: "" } },
    { v: 4, id: "1", ts: "", channel_values: {}, channel_versions: {}, versions_seen: {} },
    {},
    {},
  );
  await saver.prune(["small"]);
  const before = process.resourceUsage().maxRSS;
  await saver.prune([THREAD]);
  console.log(process.resourceUsage().maxRSS - before);
  db.close();
}

async function main(folder) {
  const chat = open(join(folder, "chat.db"));
  await growChat(chat.saver, THREAD, sizes.steps);
  const { chunks } = await chat.saver.stats(THREAD);
  const grown = `a chat of ${sizes.steps} supersteps (${chunks} chunks)`;
  await measure(`copyThread, ${grown}`, chat, () => chat.saver.copyThread(THREAD, "copy"));
  await measure(`prune keep_latest, ${grown}`, chat, () => chat.saver.prune([THREAD]));
  await measure("prune keep_latest, again", chat, () => chat.saver.prune([THREAD]));
  chat.db.close();

  const path = join(folder, "long.db");
  const long = open(path);
  await fill(long.saver, sizes.chunks);
  const many = `${sizes.chunks} chunks`;
  await measure(`copyThread, ${many}`, long, () => long.saver.copyThread(THREAD, "copy"));
  await measure(`prune keep_latest, ${many}`, long, () => long.saver.prune(["copy"]));
  await long.saver.copyThread(THREAD, "another copy");
  await measure(`deleteThread, ${many}`, long, () => long.saver.deleteThread("another copy"));
  long.db.close();
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--memory", path]);
  const grew = Number(child.stdout) / 1024;
  show(`  memory of the same prune`, `${grew.toFixed(1).padStart(9)} MB`);

  const file = open(join(folder, "threads.db"));
  await manyThreads(file, sizes);
  const all = `${sizes.threads} threads x ${sizes.checkpoints} checkpoints`;
  for (const [what, call] of [
    ["threads()", () => file.saver.threads()],
    ["threads({ idPrefix })", () => file.saver.threads({ idPrefix: "chat-99" })],
    ["threads({ metadata })", () => file.saver.threads({ metadata: { user: "someone" } })],
    ["stats()", () => file.saver.stats()],
    ["stats(threadId)", () => file.saver.stats("chat-1")],
  ]) {
    const times = [];
    for (let round = 0; round < 5; round += 1) times.push(await timesOf(call));
    const of = (property) => median(times.map((one) => one[property]));
    show(`${what}, ${all}`, both({ time: of("time"), cpu: of("cpu") }));
  }
  file.db.close();
}

if (process.argv[2] === "--memory") {
  await memoryOfPrune(process.argv[3]);
} else {
  const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-"));
  try {
    await main(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
