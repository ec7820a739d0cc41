// Calls that race, from several savers as from several processes: nothing dangles, nothing stays
// behind, and what was acknowledged is read.

import pg from "pg";
import { core } from "../../../src/entries/core-postgres.js";
import {
  type Batch,
  type Statement,
  type StorageAdapter,
  StorageSaver,
} from "../../../src/entries/index.js";
import { PostgresSaver } from "../../../src/entries/postgres.js";

import { all, checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { newSchema, rowsOf, type Schema, target } from "./support/target.js";

const LONG = "long enough for a chunk of its own ".repeat(8);

/** Values of which neighbours share most chunks. */
function valuesOf(number: number) {
  return { messages: Array.from({ length: 30 }, (_, at) => `${LONG}${number + at}`) };
}

function put(saver: StorageSaver, number: number, parent?: number, thread = "t") {
  const stored = checkpoint(number, valuesOf(number));
  const at = config(thread, parent === undefined ? undefined : idOf(parent));
  return saver.put(at, stored, metadata(number), stored.channel_versions);
}

/** References to chunks that are not there, and rows of threads that are not there. */
async function leftovers(schema: Schema): Promise<unknown> {
  const [row] = await schema.rows(
    "WITH wanted AS (SELECT r.thread_key, substring(v FROM i * 20 + 1 FOR 20) AS hash " +
      "FROM (SELECT thread_key, unnest(refs) AS v FROM $schema.lg_records " +
      "UNION ALL SELECT thread_key, refs FROM $schema.lg_chunks) r, " +
      "generate_series(0, octet_length(v) / 20 - 1) i) " +
      "SELECT (SELECT count(*)::int FROM wanted w WHERE NOT EXISTS (SELECT FROM " +
      "$schema.lg_chunks c WHERE c.thread_key = w.thread_key AND c.hash = w.hash)) AS dangling, " +
      "(SELECT count(*)::int FROM $schema.lg_records WHERE thread_key NOT IN " +
      "(SELECT thread_key FROM $schema.lg_threads)) AS records, " +
      "(SELECT count(*)::int FROM $schema.lg_chunks WHERE thread_key NOT IN " +
      "(SELECT thread_key FROM $schema.lg_threads)) AS chunks",
  );
  return row;
}

const NONE = { dangling: 0, records: 0, chunks: 0 };

async function repeat(times: number, run: (time: number) => Promise<unknown>): Promise<void> {
  for (let time = 1; time <= times; time += 1) await run(time);
}

test("setups_at_once_all_succeed", async () => {
  await repeat(12, async () => {
    const schema = newSchema();
    const savers = Array.from({ length: 8 }, () => schema.open());
    await Promise.all(savers.map((saver) => saver.setup()));
    await put(savers[0] as PostgresSaver, 1);
    expect(await ids((savers[7] as PostgresSaver).list(config("t")))).toStrictEqual([idOf(1)]);
    await Promise.all(savers.map((saver) => saver.end()));
  });
});

/** The advisory lock of setups. */
const SETUP_LOCK = 0x1c7e5f219ab04d63n.toString();

test("a_setup_that_waited_for_another_sees_what_that_one_made", async () => {
  const schema = newSchema();
  const pool = new pg.Pool({ connectionString: target.url, max: 1 });
  // A session that has set schemas up remembers what a new one would look up.
  for (const { name } of [newSchema(), newSchema()]) {
    await new PostgresSaver(pool, undefined, { schema: name }).setup();
  }
  const other = new pg.Client(target.url);
  await other.connect();
  await other.query("BEGIN");
  await other.query("SELECT pg_advisory_xact_lock($1)", [SETUP_LOCK]);
  const saver = new PostgresSaver(pool, undefined, { schema: schema.name });
  const setup = saver.setup();
  const waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
  while ((await rowsOf(waiting)).length === 0);
  await other.query(`CREATE SCHEMA ${schema.quoted}`);
  await other.query(`CREATE TABLE ${schema.quoted}.lg_format (format bigint PRIMARY KEY)`);
  await other.query("COMMIT");
  await other.end();
  await setup;
  await put(saver, 1);
  await saver.end();
});

test("deletions_at_once_of_threads_that_take_many_batches_leave_nothing", async () => {
  const schema = newSchema();
  const savers = [schema.open(), schema.open(), schema.open()];
  for (const thread of ["one", "other", "stays"]) {
    const values = { messages: Array.from({ length: 1600 }, (_, at) => `${LONG}${at}`) };
    const stored = checkpoint(1, thread === "stays" ? valuesOf(1) : values);
    const into = savers[0] as PostgresSaver;
    await into.put(config(thread), stored, metadata(1), stored.channel_versions);
  }
  const threads = ["one", "other", "one"];
  await Promise.all(savers.map((saver, at) => saver.deleteThread(threads[at] as string)));
  expect(await leftovers(schema)).toStrictEqual(NONE);
  expect(await schema.rows("SELECT thread_id FROM $schema.lg_threads")).toStrictEqual([
    { thread_id: "stays" },
  ]);
  expect(await schema.rows("SELECT FROM $schema.lg_deleted")).toStrictEqual([]);
});

test("a_delete_leaves_nothing_of_the_puts_that_it_races", async () => {
  const schema = newSchema();
  const [one, other, remover] = [schema.open(), schema.open(), schema.open()];
  await one.setup();
  await Promise.all([
    repeat(60, (time) => put(one, 2 * time, 2 * time - 2)),
    repeat(60, async (time) => {
      await other.putWrites(config("t", idOf(2 * time)), [["messages", LONG + time]], `t${time}`);
      await put(other, 2 * time + 1, 2 * time - 1);
    }),
    repeat(60, () => remover.deleteThread("t")),
  ]);
  expect(await leftovers(schema)).toStrictEqual(NONE);
  for (const tuple of await all(remover.list(config("t")))) {
    const number = Number(tuple.checkpoint.id.slice(-12));
    expect(tuple.checkpoint.channel_values).toStrictEqual(valuesOf(number));
  }
  await remover.deleteThread("t");
  const counts = "SELECT count(*)::int AS count FROM $schema.";
  for (const table of ["lg_threads", "lg_records", "lg_chunks"]) {
    expect(await schema.rows(counts + table)).toStrictEqual([{ count: 0 }]);
  }
});

/** The statements of calls on a schema, which are not run. */
async function planned(schema: Schema, call: (saver: StorageSaver) => Promise<unknown>) {
  const batches: Batch[] = [];
  const adapter: StorageAdapter = {
    dialect: { name: "postgres", schema: schema.name },
    async run(batch) {
      batches.push(batch);
      const row = batch.access === "read" ? [[150_000n, "UTF8", 1n, 1n, 0n]] : [[1n, 0n]];
      const answer = batch.statements.some(({ text }) => text.includes("format")) ? [[1n]] : row;
      const isSweep = (text: string) => text.includes("lg_deleted");
      return batch.statements.map(({ text }) => ({ rows: isSweep(text) ? [] : answer }));
    },
  };
  const saver = new StorageSaver(adapter, undefined, { core });
  await saver.setup();
  batches.length = 0;
  await call(saver);
  return batches.flatMap(({ statements }) => statements);
}

test("a_deletion_leaves_a_thread_that_was_made_while_it_ran", async () => {
  const schema = newSchema();
  const saver = schema.open();
  await saver.setup();
  const [deleter, putter] = [new pg.Client(target.url), new pg.Client(target.url)];
  await Promise.all([deleter.connect(), putter.connect()]);
  const run = (client: pg.Client, { text, parameters }: Statement) => {
    const values = [...(parameters[0] ?? [])];
    return client.query({ text, values });
  };
  const [lock, remove] = await planned(schema, (other) => other.deleteThread("t"));
  const [second] = await planned(schema, (other) => put(other, 2));
  if (lock === undefined || remove === undefined || second === undefined) throw new TypeError();
  await deleter.query("BEGIN");
  await run(deleter, lock);
  await put(saver, 1);
  await putter.query("BEGIN");
  await run(putter, second);
  const removed = run(deleter, remove);
  await putter.query("COMMIT");
  await removed;
  await deleter.query("COMMIT");
  await Promise.all([deleter.end(), putter.end()]);
  expect(await leftovers(schema)).toStrictEqual(NONE);
  expect(await ids(saver.list(config("t")))).toStrictEqual([idOf(2), idOf(1)]);
});

test("writers_that_fork_one_thread_lose_nothing_that_was_acknowledged", async () => {
  const schema = newSchema();
  const savers = Array.from({ length: 4 }, () => schema.open());
  await put(savers[0] as PostgresSaver, 1);
  await Promise.all(
    savers.map((saver, writer) => {
      // Every branch begins at the first checkpoint, and has the same chunks as its neighbours.
      const number = (time: number) => (time === 0 ? 1 : 4 * time + writer);
      return repeat(40, (time) => put(saver, number(time), number(time - 1)));
    }),
  );
  const reader = schema.open();
  const tuples = await all(reader.list(config("t")));
  expect(tuples).toHaveLength(161);
  for (const { checkpoint: found, parentConfig } of tuples) {
    const number = Number(found.id.slice(-12));
    expect(found.channel_values).toStrictEqual(valuesOf(number));
    const parent = number < 8 ? 1 : number - 4;
    if (number > 1) expect(parentConfig?.configurable?.checkpoint_id).toBe(idOf(parent));
  }
  expect(await leftovers(schema)).toStrictEqual(NONE);
});

test("supersteps_of_one_thread_do_not_deadlock", async () => {
  const schema = newSchema();
  const name = schema.name.slice(-12);
  const url = new URL(target.url);
  url.searchParams.set("application_name", name);
  const before = await deadlocks();
  const savers = Array.from({ length: 4 }, () => schema.open({}, url.href));
  await put(savers[0] as PostgresSaver, 1);
  const chunk = (number: number) => `${LONG}write ${number}`;
  await Promise.all(
    savers.map((saver, writer) => {
      return repeat(40, async (time) => {
        const number = 4 * time + writer;
        // Every superstep stores chunks that the others store too, in orders of their own.
        const writes = [0, 1, 2].map((task) => {
          const places = [0, 1, 2, 3].map((at) => (at * (task + 1) + writer) % 5);
          const values = places.map((at): [string, unknown] => ["messages", chunk(5 * time + at)]);
          return saver.putWrites(config("t", idOf(1)), values, `task ${number} ${task}`);
        });
        await Promise.all([...writes, put(saver, number, 1)]);
      });
    }),
  );
  const reader = schema.open();
  const [first] = await all(reader.list(config("t", idOf(1))));
  expect(first?.pendingWrites).toHaveLength(4 * 40 * 3 * 4);
  expect(await ids(reader.list(config("t")))).toHaveLength(161);
  expect(await leftovers(schema)).toStrictEqual(NONE);
  await Promise.all(savers.map((saver) => saver.end()));
  // A session reports its deadlocks at its end.
  const sessions = "SELECT FROM pg_stat_activity WHERE application_name = $1";
  while ((await rowsOf(sessions, [name])).length > 0);
  expect(await deadlocks()).toBe(before);
});

/** How many deadlocks the database has had. */
async function deadlocks(): Promise<unknown> {
  const text = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
  return (await rowsOf(text))[0]?.deadlocks;
}

describe.each(["repeatable read", "serializable"])("at_the_isolation_level_%s", (level) => {
  test("racing_puts_and_deletes_leave_nothing_behind_either", async () => {
    const schema = newSchema();
    const role = `lgtest_${schema.name.slice(-12)}`;
    await rowsOf(`CREATE ROLE ${role} LOGIN`);
    await rowsOf(`ALTER ROLE ${role} SET default_transaction_isolation = '${level}'`);
    await rowsOf(`CREATE SCHEMA ${schema.quoted} AUTHORIZATION ${role}`);
    const savers = Array.from({ length: 3 }, () => schema.open({}, schema.urlOf(role)));
    const [one, other, remover] = savers as [PostgresSaver, PostgresSaver, PostgresSaver];
    await Promise.all([
      repeat(25, (time) => put(one, 2 * time, 2 * time - 2)),
      repeat(25, (time) => put(other, 2 * time + 1, 2 * time - 1)),
      repeat(25, () => remover.deleteThread("t")),
    ]);
    expect(await leftovers(schema)).toStrictEqual(NONE);
    await put(one, 100);
    expect(await ids(other.list(config("t"), { limit: 1 }))).toStrictEqual([idOf(100)]);
    await Promise.all(savers.map((saver) => saver.end()));
    await rowsOf(`DROP SCHEMA ${schema.quoted} CASCADE`);
    await rowsOf(`DROP ROLE ${role}`);
  });
});

test("copies_to_one_thread_at_once_store_one_and_leave_nothing_of_the_others", async () => {
  const schema = newSchema();
  const savers = Array.from({ length: 4 }, () => schema.open());
  const [first] = savers as [PostgresSaver, ...PostgresSaver[]];
  for (const number of [1, 2, 3]) await put(first, number, number === 1 ? undefined : number - 1);
  await repeat(8, async () => {
    const copies = await Promise.allSettled(savers.map((saver) => saver.copyThread("t", "copy")));
    const failed = copies.flatMap((copy) => (copy.status === "rejected" ? [copy.reason.code] : []));
    expect(failed).toStrictEqual(Array(3).fill("existing-thread"));
    expect(await ids(first.list(config("copy")))).toStrictEqual([3, 2, 1].map(idOf));
    expect(await leftovers(schema)).toStrictEqual(NONE);
    await first.deleteThread("copy");
  });
});
