// The caller has a transaction open on the saver's connection: calls made inside it are part of it,
// and calls made before it are not.

import { setImmediate as endOfTurn } from "node:timers/promises";

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import Database from "better-sqlite3";

import { JsonPlusSerde } from "../../../src/entries/index.js";
import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { temporaryDatabase } from "../../support/temporary.js";

interface Begun {
  readonly path?: string;
  readonly busyDeadlineMs?: number;
  readonly serde?: SerializerProtocol;
}

async function begun({ path = ":memory:", busyDeadlineMs = 1000, serde }: Begun = {}) {
  const db = new Database(path, { timeout: 0 });
  onTestFinished(() => {
    db.close();
  });
  const saver = new SqliteSaver(db, serde, { busyDeadlineMs });
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
  const { db, put, stored } = await begun({ busyDeadlineMs: 20 });
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

test("a_put_made_inside_behind_a_call_of_its_thread_fails_at_once", async () => {
  const { db, saver, put, stored } = await begun();
  const deleted = saver.deleteThread("t");
  db.exec("BEGIN");
  const failure = await put(2).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "storage-in-transaction", stored: "nothing" });
  db.exec("COMMIT");
  await deleted;
  expect(await stored()).toEqual([]);
});

test("a_put_made_inside_waits_for_no_other_thread_and_goes_with_the_rollback", async () => {
  const { db, saver, put, stored } = await begun();
  const before = put(2);
  db.exec("BEGIN");
  await saver.put(config("other"), checkpoint(3), metadata(3), {});
  expect(await ids(saver.list(config("other")))).toEqual([idOf(3)]);
  db.exec("ROLLBACK");
  await before;
  expect(await ids(saver.list(config("other")))).toEqual([]);
  expect(await stored()).toEqual([idOf(2), idOf(1)]);
});

test("a_put_made_inside_a_transaction_that_is_behind_fails_at_once", async () => {
  const { db, put, stored } = await begun({ path: temporaryDatabase() });
  const other = new Database(db.name);
  onTestFinished(() => {
    other.close();
  });
  db.exec("BEGIN");
  db.prepare("SELECT count(*) FROM lg_records").get();
  other.exec("CREATE TABLE theirs (n)");
  const inside = put(2);
  db.exec("COMMIT");
  db.exec("BEGIN");
  const failure = await inside.catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "storage-busy", stored: "nothing" });
  db.exec("ROLLBACK");
  expect(await stored()).toEqual([idOf(1)]);
});

test("a_first_put_made_inside_while_the_tables_wait_to_be_made_fails_at_once", async () => {
  const db = new Database(temporaryDatabase(), { timeout: 0 });
  const other = new Database(db.name);
  onTestFinished(() => {
    db.close();
    other.close();
  });
  other.pragma("journal_mode = WAL");
  other.exec("BEGIN IMMEDIATE");
  const saver = new SqliteSaver(db);
  const before = saver.put(config("t"), checkpoint(1), metadata(1), {});
  db.exec("BEGIN");
  const inside = saver.put(config("other"), checkpoint(2), metadata(2), {});
  await expect(inside).rejects.toMatchObject({ code: "storage-in-transaction" });
  db.exec("ROLLBACK");
  other.exec("COMMIT");
  await before;
  expect(await ids(saver.list(config("t")))).toEqual([idOf(1)]);
});

describe("with a serializer that answers later", () => {
  class Later extends JsonPlusSerde {
    override async dumpsTyped(value: unknown) {
      const dumped = super.dumps(value);
      await endOfTurn();
      return dumped;
    }
  }

  test("calls_made_before_the_transaction_outlive_its_rollback", async () => {
    const { db, saver, put, write } = await begun({ serde: new Later() });
    const before: Promise<unknown>[] = [];
    await saver.put(config("gone"), checkpoint(1), metadata(1), {});
    before.push(put(2), write(2));
    before.push(saver.put(config("gone"), checkpoint(2), metadata(2), {}));
    before.push(saver.deleteThread("gone"));
    db.exec("BEGIN");
    const late = endOfTurn().then(endOfTurn).then(endOfTurn);
    await Promise.all([...before, late.then(() => db.exec("ROLLBACK"))]);
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.id).toBe(idOf(2));
    expect(tuple?.pendingWrites).toEqual([["task", "n", 2]]);
    expect(await saver.getTuple(config("gone"))).toBeUndefined();
  });

  test("a_put_made_inside_fails_at_once_and_a_read_does_not", async () => {
    const { db, saver, put, stored } = await begun({ serde: new Later() });
    db.exec("BEGIN");
    const failure = await put(2).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "storage-in-transaction", stored: "nothing" });
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
    db.exec("COMMIT");
    expect(await stored()).toEqual([idOf(1)]);
  });
});
