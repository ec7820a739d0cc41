// The test kit for storage adapters on node:sqlite. `../node-sqlite.test.ts` runs it in a Node.js
// that has node:sqlite.

import { DatabaseSync } from "node:sqlite";
import { runInNewContext } from "node:vm";
import { SqliteSaver } from "../../../../src/entries/node-sqlite.js";
import { NodeSqliteConnection } from "../../../../src/stores/sqlite/node-sqlite.js";
import { adapterTests } from "../../../../src/testing/index.js";
import { config, idOf } from "../../../support/checkpoints.js";
import {
  expectCallsToSettle,
  expectLocksToBeWaitedFor,
  FAKES,
} from "../../../support/fake-timers.js";
import { expectMemory, expectOneFileOfManyNames, REFUSED } from "../../../support/locations.js";
import { temporaryDatabase } from "../../../support/temporary.js";

const subject = {
  name: "langgraph-checkpoint-wasm/node-sqlite",
  open: () => SqliteSaver.fromConnString(":memory:"),
  close: (saver: SqliteSaver) => saver.close(),
};

for (const { name, run } of adapterTests(subject)) test(name, run);

test("a_file_that_better_sqlite3_wrote_is_read_and_written", async () => {
  const saver = SqliteSaver.fromConnString(process.env.CHECKPOINTS ?? "");
  const tuple = await saver.getTuple(config("shared"));
  expect(tuple?.checkpoint.channel_values).toEqual({
    text: "a line\n".repeat(3000),
    big: 2n ** 70n,
  });
  expect(tuple?.pendingWrites).toEqual([["task", "bytes", Uint8Array.from([0, 255])]]);
  await saver.putWrites(config("shared", idOf(1)), [["n", 1]], "other-task");
  saver.close();
});

test("a_lock_past_the_deadline_is_busy", async () => {
  const path = process.env.CHECKPOINTS ?? "";
  const other = SqliteSaver.fromConnString(path);
  const saver = SqliteSaver.fromConnString(path, { busyDeadlineMs: 20 });
  other.db.exec("BEGIN IMMEDIATE");
  const written = saver.putWrites(config("shared", idOf(1)), [["n", 2]], "late-task");
  await expect(written).rejects.toMatchObject({ code: "storage-busy", stored: "nothing" });
  other.db.exec("ROLLBACK");
  other.close();
  saver.close();
});

test("a_file_that_is_not_a_database_is_named_so", async () => {
  const saver = SqliteSaver.fromConnString(process.env.NOT_A_DATABASE ?? "");
  const read = saver.getTuple(config("shared"));
  await expect(read).rejects.toMatchObject({ code: "storage-not-a-database" });
  saver.close();
});

test.each(Object.entries(FAKES))("with_the_timers_of_%s_calls_settle", async (_, install) => {
  const path = temporaryDatabase();
  install();
  const saver = SqliteSaver.fromConnString(path);
  await expectCallsToSettle(saver);
  saver.close();
  await expectLocksToBeWaitedFor((options) => SqliteSaver.fromConnString(path, options));
});

test("a_database_has_a_path_or_a_url_or_is_in_memory", async () => {
  await expectOneFileOfManyNames((location) => SqliteSaver.fromConnString(location));
  await expectMemory((location) => SqliteSaver.fromConnString(location));
  for (const [location, said] of REFUSED) {
    expect(() => SqliteSaver.fromConnString(location as string), String(location)).toThrow(said);
  }
});

test("a_lock_is_known_by_an_error_of_another_realm", () => {
  const db = new DatabaseSync(":memory:");
  const thrown = runInNewContext('Object.assign(new Error("locked"), { errcode: 261 })');
  expect(thrown).not.toBeInstanceOf(Error);
  expect(new NodeSqliteConnection(db).resultCode(thrown)).toBe(5);
  db.close();
});
