// With `synchronous` FULL nobody is answered before the log is on the disk, and nothing else waits
// for that. The disk is slow or fails where a test says so: `fdatasync` is held or refused.

import fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

import Database from "better-sqlite3";

import { SqliteSaver } from "../src/sqlite.js";
import { checkpoint, config, idOf, ids, metadata } from "./support/checkpoints.js";
import { temporaryDatabase } from "./support/temporary.js";

type Done = (failure: Error | null) => void;

/** Keeps every sync from ending; the test ends them. */
function holdSyncs() {
  const held: Done[] = [];
  let begun = () => {};
  const first = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const spy = vi.spyOn(fs, "fdatasync").mockImplementation((_log, done) => {
    held.push(done);
    begun();
  });
  onTestFinished(() => spy.mockRestore());
  const end = (failure: Error | null = null) => {
    for (const done of held.splice(0)) done(failure);
  };
  return { held, first, end };
}

async function ready(path: string): Promise<SqliteSaver> {
  const saver = SqliteSaver.fromConnString(path, { synchronous: "full" });
  await saver.put(config("ready"), checkpoint(1), metadata(1), {});
  return saver;
}

function put(saver: SqliteSaver, number: number) {
  const state = { answered: false };
  const stored = saver.put(config("t"), checkpoint(number), metadata(number), {});
  const answered = () => {
    state.answered = true;
  };
  stored.then(answered, answered);
  return { stored, state };
}

test("a_commit_is_answered_after_its_sync_and_seen_before", async () => {
  const path = temporaryDatabase();
  const saver = await ready(path);
  const { first, end } = holdSyncs();
  const { stored, state } = put(saver, 1);
  await first;
  expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  expect(saver.db.pragma("synchronous", { simple: true })).toBe(2);
  await nextTurn();
  expect(state.answered).toBe(false);
  end();
  await stored;
  saver.close();
});

test("one_sync_stands_for_all_that_was_committed_before_it", async () => {
  const saver = await ready(temporaryDatabase());
  const { held, first, end } = holdSyncs();
  const begun = put(saver, 1);
  await first;
  const others = [];
  for (const number of [2, 3, 4]) {
    others.push(put(saver, number));
    // A read makes what was called before it take effect: each put has a commit of its own.
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(number));
  }
  expect(held).toHaveLength(1);
  end();
  await begun.stored;
  expect(others.map(({ state }) => state.answered)).toEqual([false, false, false]);
  expect(held).toHaveLength(1);
  end();
  await Promise.all(others.map(({ stored }) => stored));
  expect(held).toHaveLength(0);
  saver.close();
});

test("a_failed_sync_leaves_it_open_what_was_stored", async () => {
  const path = temporaryDatabase();
  const saver = await ready(path);
  const { first, end } = holdSyncs();
  const { stored } = put(saver, 1);
  await first;
  const refused = expect(stored).rejects.toMatchObject({
    code: "storage-failed",
    stored: "unknown",
  });
  end(new Error("a broken disk"));
  await refused;
  vi.restoreAllMocks();
  // What the log may lack goes into the file before anything is stored after it.
  await put(saver, 2).stored;
  const alone = temporaryDatabase();
  fs.copyFileSync(path, alone);
  const copy = new Database(alone, { readonly: true });
  const inFile = copy.prepare("SELECT checkpoint_id FROM lg_checkpoints ORDER BY 1 DESC").pluck();
  expect(inFile.all()).toEqual([idOf(1), idOf(1)]);
  copy.close();
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2), idOf(1)]);
  saver.close();
});

test("close_syncs_what_waits", async () => {
  const path = temporaryDatabase();
  const saver = await ready(path);
  const { first, end } = holdSyncs();
  const begun = put(saver, 1);
  await first;
  const second = put(saver, 2);
  saver.close();
  await Promise.all([begun.stored, second.stored]);
  end();
  const again = SqliteSaver.fromConnString(path);
  expect(await ids(again.list(config("t")))).toEqual([idOf(2), idOf(1)]);
  again.close();
});

test.each([
  ["normal_does_not_wait", "normal", "wal"],
  ["a_database_in_memory_has_nothing_to_sync", "full", "memory"],
  ["without_a_log_sqlite_itself_waits", "full", "truncate"],
] as const)("%s", async (_, synchronous, mode) => {
  const db = new Database(mode === "memory" ? ":memory:" : temporaryDatabase());
  if (mode === "truncate") db.pragma("journal_mode = truncate");
  const saver = new SqliteSaver(db, undefined, { synchronous });
  const { held } = holdSyncs();
  await put(saver, 1).stored;
  expect(held).toHaveLength(0);
  expect(db.pragma("journal_mode", { simple: true })).toBe(mode);
  saver.close();
});
