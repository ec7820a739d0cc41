// A put that LangGraph must not overtake blocks the event loop while it waits for a lock, once and
// for a short time. Whatever a driver throws, every call is answered.

import { setImmediate as endOfTurn } from "node:timers/promises";

import Database from "better-sqlite3";

import { StorageSaver } from "../../../src/entries/index.js";
import { BetterSqlite3Connection } from "../../../src/stores/sqlite/better-sqlite3.js";
import { CommitQueue } from "../../../src/stores/sqlite/commit-queue.js";
import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { temporaryDatabase } from "../../support/temporary.js";

/** A connection that reports when the driver is told to wait for locks. */
class Watched extends BetterSqlite3Connection {
  waits: string[] = [];
  onWait = () => {};

  override pragma(text: string) {
    const value = super.pragma(text);
    if (text.startsWith("busy_timeout =")) {
      this.waits.push(text);
      this.onWait();
    }
    return value;
  }
}

/** A saver with a checkpoint on a file, and another connection that holds the file's lock. */
async function locked(timeout = 0, busyDeadlineMs = 5000) {
  const db = new Database(temporaryDatabase(), { timeout });
  const other = new Database(db.name);
  onTestFinished(() => {
    db.close();
    other.close();
  });
  const connection = new Watched(db);
  const saver = new StorageSaver(new CommitQueue(connection, { busyDeadlineMs }));
  const put = (n: number) => saver.put(config("t"), checkpoint(n, { n }), metadata(n), { n });
  await put(1);
  other.exec("BEGIN IMMEDIATE");
  return { db, other, connection, saver, put };
}

test("a_put_gets_a_lock_that_is_soon_free_before_the_turn_ends", async () => {
  const { db, other, connection, saver, put } = await locked();
  connection.onWait = () => {
    if (other.inTransaction) other.exec("COMMIT");
  };
  const stored = put(2).then(() => "stored");
  expect(await Promise.race([stored, endOfTurn("overtaken")])).toBe("stored");
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2), idOf(1)]);
  expect(db.pragma("busy_timeout", { simple: true })).toBe(0);
});

test("a_put_after_writes_that_wait_gets_a_lock_before_the_turn_ends", async () => {
  const { other, connection, saver, put } = await locked();
  const written = saver.putWrites(config("t", idOf(1)), [["n", 1]], "task");
  await endOfTurn();
  connection.onWait = () => {
    if (other.inTransaction) other.exec("COMMIT");
  };
  const stored = put(2).then(() => "stored");
  expect(await Promise.race([stored, endOfTurn("overtaken")])).toBe("stored");
  await written;
});

test("the_event_loop_stands_still_once_until_something_is_stored", async () => {
  const { other, connection, put } = await locked(7);
  const stored = [put(2)];
  await endOfTurn();
  stored.push(put(3));
  await endOfTurn();
  expect(connection.waits).toEqual(["busy_timeout = 100", "busy_timeout = 7"]);
  other.exec("COMMIT");
  await Promise.all(stored);
  expect(connection.waits).toHaveLength(2);
  other.exec("BEGIN IMMEDIATE");
  stored.push(put(4));
  await endOfTurn();
  expect(connection.waits).toHaveLength(4);
  other.exec("COMMIT");
  await Promise.all(stored);
});

test("the_event_loop_stands_still_no_longer_than_a_call_may_wait", async () => {
  const { connection, put } = await locked(0, 3);
  await expect(put(2)).rejects.toMatchObject({ code: "storage-busy", stored: "nothing" });
  expect(connection.waits[0]).toBe("busy_timeout = 3");
});

test("a_driver_that_throws_where_none_should_fails_one_call_and_the_next_one_runs", async () => {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  let broken = false;
  class Broken extends BetterSqlite3Connection {
    override get inTransaction(): boolean {
      if (broken) throw new TypeError("broken");
      return super.inTransaction;
    }
  }
  const queue = new CommitQueue(new Broken(db), { busyDeadlineMs: 1000 });
  const saver = new StorageSaver(queue);
  const put = (n: number) => saver.put(config("t"), checkpoint(n), metadata(n), {});
  await put(1);
  const failed = Promise.allSettled([put(2), saver.deleteThread("t")]);
  broken = true;
  const codes = (await failed).map((call) => call.status === "rejected" && call.reason.code);
  expect(codes).toEqual(["adapter-failed", "adapter-failed"]);
  broken = false;
  await put(3);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(3), idOf(1)]);
});
