// Measures what `auto_vacuum = INCREMENTAL` costs a superstep, on SQLite:
//
//   node bench/auto-vacuum.mjs [--quick] [--sync full]
//
// Threads of both kinds of file take turns in one process, superstep by superstep.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

import { messagesOf, twoAfter } from "./data.mjs";
import { median } from "./sampling.mjs";
import { put, superstep } from "./supersteps.mjs";

const [threads, steps] = process.argv.includes("--quick") ? [6, 50] : [30, 100];
const synchronous = process.argv.includes("full") ? "full" : "normal";
const folder = mkdtempSync(join(tmpdir(), "auto-vacuum-"));

/** A saver on a new file. The log is copied into it at each step, so that this is measured too. */
function open(mode) {
  const path = join(folder, `${mode}.db`);
  const db = new Database(path, { timeout: 0 });
  db.pragma(`auto_vacuum = ${mode}`);
  const saver = new SqliteSaver(db, undefined, { synchronous });
  return { mode, path, db, saver, first: [], next: [], total: 0 };
}

async function timed(subject, times, run) {
  const begun = performance.now();
  await run();
  const time = performance.now() - begun;
  times.push(time);
  subject.total += time;
}

const subjects = [open("NONE"), open("INCREMENTAL")];
for (let thread = 0; thread < threads; thread += 1) {
  const id = `thread-${thread}`;
  let messages = messagesOf(thread, 35_000);
  for (let step = 0; step < steps; step += 1) {
    const written = step === 0 ? [] : twoAfter(messages, step);
    if (step > 0) messages = [...messages, ...written];
    const turn = (thread + step) % 2 === 0 ? subjects : subjects.toReversed();
    for (const subject of turn) {
      const { saver, first, next } = subject;
      if (step === 0) await timed(subject, first, () => put(saver, id, 0, messages));
      else await timed(subject, next, () => superstep(saver, id, step, messages, written));
    }
  }
}
for (const { mode, path, db, first, next, total } of subjects) {
  db.pragma("wal_checkpoint(TRUNCATE)");
  const pages = db.pragma("page_count", { simple: true });
  console.log(
    `${mode.padEnd(12)} first put ${(median(first) * 1000).toFixed(0)} us, superstep ` +
      `${(median(next) * 1000).toFixed(0)} us, all ${total.toFixed(0)} ms, ` +
      `${(statSync(path).size / 1e6).toFixed(2)} MB, ${pages} pages`,
  );
  db.close();
}
rmSync(folder, { recursive: true });
