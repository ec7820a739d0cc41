// The writes of one turn of the event loop share a transaction, and none is answered before it is
// committed. Counted by the statements that the driver reports.

import Database from "better-sqlite3";
import { type Batch, StorageError, type StoredCall } from "../../../src/entries/index.js";
import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { BetterSqlite3Connection } from "../../../src/stores/sqlite/better-sqlite3.js";
import { CommitQueue } from "../../../src/stores/sqlite/commit-queue.js";
import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { temporaryDatabase } from "../../support/temporary.js";

/** An open database and the statements that run on it. */
function openWatched(path = ":memory:") {
  const statements: string[] = [];
  const db = new Database(path, { verbose: (text) => statements.push(String(text)) });
  onTestFinished(() => {
    db.close();
  });
  const commits = () => statements.filter((text) => text === "COMMIT").length;
  return { db, statements, commits };
}

async function ready(db: Database.Database): Promise<SqliteSaver> {
  const saver = new SqliteSaver(db);
  await saver.put(config("ready"), checkpoint(1), metadata(1), {});
  return saver;
}

test("the_writes_of_one_turn_share_a_commit", async () => {
  const { db, statements, commits } = openWatched();
  const saver = await ready(db);
  const before = commits();
  await Promise.all([
    ...[1, 2, 3].map((n) => saver.put(config(`t${n}`), checkpoint(n, { n }), metadata(n), { n })),
    ...[1, 2, 3].map((n) => saver.putWrites(config(`t${n}`, idOf(n)), [["n", n]], "task")),
  ]);
  expect(commits() - before).toBe(1);
  expect(statements.filter((text) => text.startsWith("SAVEPOINT"))).toEqual([]);
  for (const n of [1, 2, 3]) {
    const tuple = await saver.getTuple(config(`t${n}`));
    expect(tuple?.checkpoint.channel_values).toEqual({ n });
    expect(tuple?.pendingWrites).toEqual([["task", "n", n]]);
  }
});

test("a_promise_resolves_after_the_commit", async () => {
  const path = temporaryDatabase();
  const { db } = openWatched(path);
  const saver = await ready(db);
  const other = new Database(path, { readonly: true });
  onTestFinished(() => {
    other.close();
  });
  const count = other.prepare("SELECT count(*) FROM lg_checkpoints").pluck();
  const stored = saver.put(config("t"), checkpoint(1), metadata(1), {});
  expect(count.get()).toBe(1);
  await stored;
  expect(count.get()).toBe(2);
});

test("a_read_sees_the_writes_called_before_it", async () => {
  const { db } = openWatched();
  const saver = await ready(db);
  const stored = saver.put(config("t"), checkpoint(1), metadata(1), {});
  const read = saver.getTuple(config("t"));
  const deleted = saver.deleteThread("t");
  const after = saver.getTuple(config("t"));
  expect((await read)?.checkpoint.id).toBe(idOf(1));
  await Promise.all([stored, deleted]);
  expect(await after).toBeUndefined();
});

test("a_first_use_by_many_calls_at_once_keeps_their_order", async () => {
  const { db } = openWatched();
  const saver = new SqliteSaver(db);
  const calls = [
    saver.put(config("t"), checkpoint(1), metadata(1), {}),
    saver.deleteThread("t"),
    saver.put(config("t"), checkpoint(2), metadata(2), {}),
  ];
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2)]);
  await Promise.all(calls);
});

test("one_failed_batch_undoes_nothing_of_the_others", async () => {
  const { db, commits } = openWatched();
  db.exec("CREATE TABLE numbers (number INTEGER PRIMARY KEY)");
  const queue = new CommitQueue(new BetterSqlite3Connection(db), { busyDeadlineMs: 1000 });
  const insert = (...numbers: bigint[]) =>
    queue.run({
      access: "write",
      statements: [
        {
          text: "INSERT INTO numbers VALUES (?1)",
          parameters: numbers.map((number) => [number]),
        },
      ],
    });
  const before = commits();
  const settled = await Promise.allSettled([insert(1n), insert(2n, 2n), insert(3n)]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(settled[1]).toMatchObject({ reason: { code: "storage-failed", stored: "nothing" } });
  expect(settled[1]).toHaveProperty("reason", expect.any(StorageError));
  expect(db.prepare("SELECT number FROM numbers").pluck().all()).toEqual([1, 3]);
  expect(commits() - before).toBe(2);
});

test("a_call_that_is_refused_takes_no_call_of_its_turn_along", async () => {
  const { db, commits } = openWatched();
  const saver = await ready(db);
  const before = commits();
  const settled = await Promise.allSettled([
    saver.put(config("t"), checkpoint(1), metadata(1), {}),
    saver.putWrites(config("t"), [["n", 1]], "task"),
    saver.putWrites(config("t", idOf(1)), [], "task"),
    saver.put(config("t", idOf(1)), checkpoint(2), metadata(2), {}),
  ]);
  expect(settled.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  expect(settled[1]).toMatchObject({ reason: { code: "missing-checkpoint-id" } });
  expect(commits() - before).toBe(1);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2), idOf(1)]);
});

/** A call of these batches. `ends` says whether its first answer certainly ends it. */
class Numbers implements StoredCall {
  readonly due = "turn";
  readonly #batches: Batch[];
  readonly #ends: boolean;

  constructor(texts: readonly string[], ends: boolean) {
    this.#batches = texts.map((text) => {
      const access = text.startsWith("SELECT") ? "read" : "write";
      return { access, statements: [{ text, parameters: [[]] }] };
    });
    this.#ends = ends;
  }

  get batch(): Batch | undefined {
    return this.#batches[0];
  }

  endsWith(): boolean {
    return this.#ends;
  }

  answer(): void {
    this.#batches.shift();
  }
}

test("a_call_runs_whole_before_the_next_one", async () => {
  const { db, statements } = openWatched();
  db.exec("CREATE TABLE numbers (number INTEGER PRIMARY KEY)");
  const queue = new CommitQueue(new BetterSqlite3Connection(db), { busyDeadlineMs: 1000 });
  const insert = (number: number) => `INSERT INTO numbers VALUES (${number})`;
  const read = "SELECT number FROM numbers";
  const calls = [
    new Numbers([insert(1)], true),
    new Numbers([insert(2), read, insert(3)], false),
    new Numbers([read, insert(4)], true),
    new Numbers([insert(5)], true),
    new Numbers([], true),
    new Numbers([insert(6)], true),
  ];
  await Promise.all(calls.map((call) => queue.runCall(call)));
  const about = statements.filter((text) => text === "COMMIT" || text.includes("numbers"));
  expect(about.slice(1)).toEqual([
    insert(1),
    insert(2),
    "COMMIT",
    read,
    insert(3),
    "COMMIT",
    read,
    insert(4),
    insert(5),
    insert(6),
    "COMMIT",
  ]);
});

test("an_open_transaction_of_the_caller_is_joined", async () => {
  const { db } = openWatched();
  const saver = new SqliteSaver(db);
  db.exec("BEGIN");
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  expect(db.inTransaction).toBe(true);
  db.exec("ROLLBACK");
  expect(await saver.getTuple(config("t"))).toBeUndefined();
  const text = "kept whole ".repeat(1000);
  await saver.put(config("t"), checkpoint(2, { text }), metadata(2), { text: 2 });
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toEqual({ text });
});

test("values_of_a_transaction_that_was_rolled_back_are_stored_again", async () => {
  const { db } = openWatched();
  const saver = await ready(db);
  const text = Array.from({ length: 3000 }, (_, index) => `line ${index}`).join("\n");
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  db.exec("BEGIN");
  await saver.put(config("t", idOf(1)), checkpoint(2, { text }), metadata(2), { text: 2 });
  db.exec("ROLLBACK");
  await saver.put(config("t", idOf(1)), checkpoint(3, { text }), metadata(3), { text: 3 });
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toEqual({ text });
});

test("close_runs_the_writes_that_wait", async () => {
  const path = temporaryDatabase();
  const saver = SqliteSaver.fromConnString(path);
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  const stored = saver.put(config("t"), checkpoint(2), metadata(2), {});
  saver.close();
  await stored;
  const again = SqliteSaver.fromConnString(path);
  expect(await ids(again.list(config("t")))).toEqual([idOf(2), idOf(1)]);
  again.close();
});

test.each([
  ["full", 2],
  ["normal", 1],
] as const)("an_opened_database_is_in_wal_and_synchronous_%s", async (synchronous, level) => {
  const saver = SqliteSaver.fromConnString(temporaryDatabase(), { synchronous });
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  expect(saver.db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(saver.db.pragma("synchronous", { simple: true })).toBe(level);
  saver.close();
});

test.each([
  ["is_twice_the_usual", 1_000, 2_000],
  ["stays_what_the_caller_chose", 500, 500],
  ["stays_unbounded_where_the_caller_chose_that", 0, 0],
])("the_length_of_the_log_%s", async (_, found, left) => {
  const db = new Database(temporaryDatabase());
  db.pragma(`wal_autocheckpoint = ${found}`);
  const saver = new SqliteSaver(db);
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  expect(db.pragma("wal_autocheckpoint", { simple: true })).toBe(left);
  db.close();
});
