// A transaction of the caller's own on the saver's connection: calls made inside of it are part of
// it, calls made before it are not.

import { setImmediate as endOfTurn } from "node:timers/promises";

import Database from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";

async function begun(busyDeadlineMs = 1000) {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  const saver = new SqliteSaver(db, undefined, { busyDeadlineMs });
  const put = (n: number) => saver.put(config("t"), checkpoint(n, { n }), metadata(n), { n });
  const write = (n: number) => saver.putWrites(config("t", idOf(n)), [["n", n]], "task");
  await put(1);
  const stored = () => ids(saver.list(config("t")));
  return { db, saver, put, write, stored };
}

test("a_put_made_before_the_transaction_outlives_its_rollback", async () => {
  const { db, put, stored } = await begun();
  const before = put(2);
  db.exec("BEGIN");
  await Promise.all([before, endOfTurn().then(() => db.exec("ROLLBACK"))]);
  expect(db.inTransaction).toBe(false);
  expect(await stored()).toEqual([idOf(2), idOf(1)]);
});

test("writes_made_before_the_transaction_outlive_its_rollback", async () => {
  const { db, saver, write } = await begun();
  const before = write(1);
  db.exec("BEGIN");
  db.exec("CREATE TABLE callers_own (n)");
  await Promise.all([before, endOfTurn().then(() => db.exec("ROLLBACK"))]);
  expect((await saver.getTuple(config("t")))?.pendingWrites).toEqual([["task", "n", 1]]);
});

test("a_put_made_before_a_transaction_that_does_not_end_fails_by_name", async () => {
  const { db, put, stored } = await begun(20);
  const before = put(2);
  db.exec("BEGIN");
  const failure = await before.catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "storage-in-transaction", stored: "nothing" });
  db.exec("COMMIT");
  expect(await stored()).toEqual([idOf(1)]);
  await put(3);
  expect(await stored()).toEqual([idOf(3), idOf(1)]);
});

test("a_put_made_inside_runs_at_once_and_goes_with_the_rollback", async () => {
  const { db, put, stored } = await begun();
  db.exec("BEGIN");
  const inside = put(2);
  db.exec("ROLLBACK");
  await inside;
  expect(await stored()).toEqual([idOf(1)]);
});

test("a_put_made_inside_lasts_with_the_commit", async () => {
  const { db, put, write, stored } = await begun();
  db.exec("BEGIN");
  const inside = [put(2), write(2)];
  db.exec("COMMIT");
  await Promise.all(inside);
  expect(await stored()).toEqual([idOf(2), idOf(1)]);
});

test("a_call_made_inside_that_fails_undoes_nothing_else_of_the_transaction", async () => {
  const { db, put, stored } = await begun();
  db.exec(
    "CREATE TRIGGER refuse BEFORE INSERT ON lg_records WHEN new.checkpoint_id LIKE '%3' " +
      "BEGIN SELECT raise(FAIL, 'no'); END",
  );
  db.exec("BEGIN");
  await put(2);
  await expect(put(3)).rejects.toMatchObject({ code: "storage-failed", stored: "nothing" });
  db.exec("COMMIT");
  expect(await stored()).toEqual([idOf(2), idOf(1)]);
});

test("a_deletion_made_before_the_transaction_does_not_overtake_a_put_made_inside", async () => {
  const { db, saver, put, stored } = await begun();
  const deleted = saver.deleteThread("t");
  db.exec("BEGIN");
  const inside = put(2);
  db.exec("COMMIT");
  await Promise.all([deleted, inside]);
  expect(await stored()).toEqual([idOf(2)]);
});
