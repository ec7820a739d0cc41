// What the calls cost, as the server and a proxy count it.

import type { CheckpointTuple } from "@langchain/langgraph-checkpoint";
import pg from "pg";

import { PostgresSaver } from "../../../src/entries/postgres.js";
import { Prepared } from "../../../src/stores/postgres/prepared.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { ServerProxy } from "./support/proxy.js";
import { newSchema, rowsOf, type Schema, target } from "./support/target.js";

const LONG = "long enough for a chunk of its own ".repeat(8);

function put(saver: PostgresSaver, number: number, thread = "t") {
  const messages = Array.from({ length: 5 * number }, (_, at) => `${LONG}${at}`);
  const parent = number === 1 ? undefined : idOf(number - 1);
  const stored = checkpoint(number, { messages, number }, { messages: number, number });
  return saver.put(config(thread, parent), stored, metadata(number), { messages: number });
}

function write(saver: PostgresSaver, number: number, task: string) {
  return saver.putWrites(config("t", idOf(number)), [["messages", `${LONG}${task}`]], task);
}

/** A saver behind a proxy that has put a checkpoint. */
async function begun(schema: Schema = newSchema(), thread = "t") {
  const proxy = await ServerProxy.start();
  const saver = schema.open({}, proxy.url);
  await put(saver, 1, thread);
  const roundTrips = async (call: () => Promise<unknown>) => {
    proxy.roundTrips = 0;
    await call();
    return proxy.roundTrips;
  };
  return { saver, schema, roundTrips };
}

test("each_call_is_one_round_trip", async () => {
  const { saver, roundTrips } = await begun();
  expect(await roundTrips(() => put(saver, 2))).toBe(1);
  expect(await roundTrips(() => write(saver, 2, "one"))).toBe(1);
  expect(await roundTrips(() => saver.getTuple(config("t")))).toBe(1);
  expect(await roundTrips(() => all(saver.list(config("t"), { limit: 2 })))).toBe(1);
  expect(await roundTrips(() => saver.deleteThread("t"))).toBe(1);
});

test("a_cold_read_is_one_round_trip_however_deep_its_values_are", async () => {
  const schema = newSchema();
  const writer = schema.open();
  // Enough elements for several levels of nodes.
  const messages = Array.from({ length: 3000 }, (_, at) => `${LONG}${at}`);
  const stored = checkpoint(1, { messages, nested: { inside: { messages } } });
  await writer.put(config("t"), stored, metadata(1), stored.channel_versions);
  const { saver: reader, roundTrips } = await begun(schema, "other");
  let found: unknown;
  const read = async () => {
    found = (await reader.getTuple(config("t")))?.checkpoint.channel_values;
  };
  expect(await roundTrips(read)).toBe(1);
  expect(found).toStrictEqual(stored.channel_values);
});

test("a_superstep_is_one_round_trip_and_one_transaction", async () => {
  const { saver, schema, roundTrips } = await begun();
  const superstep = () => {
    return Promise.all([write(saver, 1, "a"), write(saver, 1, "b"), put(saver, 2)]);
  };
  expect(await roundTrips(superstep)).toBe(1);
  const rows = await schema.rows("SELECT DISTINCT xmin::text FROM $schema.lg_records");
  // One transaction of the first put, one of the superstep.
  expect(rows.length).toBe(2);
});

// A server of somebody else's may not load the extension.
const testOnOwn = test.skipIf(!target.isOwn);

testOnOwn("each_call_is_one_statement_of_the_servers_count", async () => {
  await rowsOf("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  const { saver, schema } = await begun();
  const counted = async (call: () => Promise<unknown>) => {
    await rowsOf("SELECT pg_stat_statements_reset()");
    await call();
    const [row] = await rowsOf(
      "SELECT coalesce(sum(calls), 0)::int AS calls FROM pg_stat_statements " +
        "WHERE position($1 IN query) > 0",
      [schema.quoted],
    );
    return row?.calls;
  };
  expect(await counted(() => put(saver, 2))).toBe(1);
  expect(await counted(() => write(saver, 2, "one"))).toBe(1);
  expect(await counted(() => saver.getTuple(config("t")))).toBe(1);
  expect(await counted(() => all(saver.list(config("t"), { limit: 2 })))).toBe(1);
  // It waits for the puts under way, cuts the thread off, and removes what belonged to it.
  expect(await counted(() => saver.deleteThread("t"))).toBe(5);
});

test("a_value_that_is_known_is_not_read_again", async () => {
  const schema = newSchema();
  const writer = schema.open();
  const documents = Array.from({ length: 50 }, (_, at) => `${LONG}document ${at}`);
  const values = (number: number) => ({ documents, messages: [`${LONG}${number}`] });
  for (const number of [1, 2]) {
    const parent = number === 1 ? undefined : idOf(number - 1);
    const stored = checkpoint(number, values(number));
    await writer.put(config("t", parent), stored, metadata(number), stored.channel_versions);
  }
  const received: number[] = [];
  const reader = schema.open();
  const run = vi.spyOn(pg.Client.prototype, "query");
  for (const id of [1, 1, 2]) {
    run.mockClear();
    const tuple = await reader.getTuple(config("t", idOf(id)));
    expect(tuple?.checkpoint.channel_values).toStrictEqual(values(id));
    const results = await Promise.all(run.mock.results.map(({ value }) => value));
    received.push(results.flatMap((result) => result?.rows ?? []).length);
  }
  run.mockRestore();
  const [cold = 0, warm = 0, next = 0] = received;
  expect(cold).toBeGreaterThan(50);
  // The checkpoint's row alone; then it and the chunk of what changed.
  expect([warm, next]).toStrictEqual([1, 2]);
});

test("the_plans_of_reads_find_rows_by_their_keys_and_are_not_compiled", async () => {
  const schema = newSchema();
  const saver = schema.open();
  for (const number of [1, 2, 3]) await put(saver, number);
  const reads: { text: string; values?: unknown[] }[] = [];
  const query = pg.Client.prototype.query;
  const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    ...given: unknown[]
  ) {
    reads.push(given[0] as (typeof reads)[number]);
    return Reflect.apply(query, this, given);
  } as typeof query);
  const reader = schema.open({ cacheBytes: 0 });
  await reader.getTuple(config("t"));
  await reader.getTuple(config("t", idOf(2)));
  await all(reader.list(config("t"), { limit: 2 }));
  await all(reader.list(config("t"), { filter: { step: 2 } }));
  await reader.getDeltaChannelHistory({ config: config("t"), channels: ["absent"] });
  spy.mockRestore();
  await fillWithOthers(schema);
  const plans = reads.filter(({ text }) => text.includes("lg_threads"));
  expect(plans.length).toBeGreaterThanOrEqual(5);
  const client = new pg.Client(target.url);
  await client.connect();
  onTestFinished(() => client.end());
  // Without statistics, and with them; for these parameters, and for any.
  for (const analyze of ["SELECT 1", "ANALYZE"]) {
    await client.query(analyze);
    for (const mode of ["force_custom_plan", "force_generic_plan"]) {
      await client.query(`SET plan_cache_mode = ${mode}`);
      for (const { text, values = [] } of plans) {
        await client.query(`PREPARE read AS ${text}`);
        const { rows } = await client.query(`EXPLAIN EXECUTE read (${values.map(literal).join()})`);
        await client.query("DEALLOCATE read");
        const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
        expect(plan).not.toContain("Seq Scan");
        const [, cost] = /cost=[\d.]+\.\.([\d.]+)/.exec(plan) ?? [];
        // At 100,000 PostgreSQL compiles a plan.
        expect(Number(cost)).toBeLessThan(20_000);
      }
    }
  }
});

/** A parameter in the text of a statement. */
function literal(value: unknown): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString("hex")}'`;
  return typeof value === "string" ? pg.escapeLiteral(value) : String(value);
}

/** Adds rows of other threads, of which the planner has no statistics. */
async function fillWithOthers(schema: Schema): Promise<void> {
  for (const table of ["lg_threads", "lg_records", "lg_chunks"]) {
    await schema.rows(`ALTER TABLE $schema.${table} SET (autovacuum_enabled = off)`);
  }
  const numbers = (count: number) => `generate_series(1, ${count}) n`;
  const hash = "substr(sha256(n::text::bytea), 1, 20)";
  await schema.rows(
    `INSERT INTO $schema.lg_threads (thread_id) SELECT 'other ' || n FROM ${numbers(20_000)}`,
  );
  await schema.rows(
    "INSERT INTO $schema.lg_records (thread_key, idx, checkpoint_ns, checkpoint_id, task_id, " +
      `envelope, refs) SELECT n % 20000 + 2, 0, '', n::text, '', 'x', ARRAY[${hash}] ` +
      `FROM ${numbers(50_000)}`,
  );
  await schema.rows(
    "INSERT INTO $schema.lg_chunks (thread_key, hash, data) " +
      `SELECT n % 20000 + 2, ${hash}, 'x' FROM ${numbers(100_000)}`,
  );
}

test("calls_of_a_thread_that_are_not_awaited_take_effect_in_their_order", async () => {
  const saver = newSchema().open();
  const outcomes = await Promise.all([
    put(saver, 1),
    saver.getTuple(config("t")),
    put(saver, 2),
    write(saver, 2, "task"),
    saver.getTuple(config("t")),
    saver.deleteThread("t"),
    saver.getTuple(config("t")),
    put(saver, 3),
    saver.getTuple(config("t")),
  ]);
  const found = [1, 4, 6, 8].map((at) => outcomes[at] as CheckpointTuple | undefined);
  expect(found.map((tuple) => tuple?.checkpoint.id)).toStrictEqual([
    idOf(1),
    idOf(2),
    undefined,
    idOf(3),
  ]);
  expect(found[1]?.pendingWrites).toHaveLength(1);
});

test("a_pool_that_does_not_pipeline_works_too", async () => {
  const schema = newSchema();
  const pool = new pg.Pool({ connectionString: (await ServerProxy.start()).url, max: 1 });
  const saver = new PostgresSaver(pool, undefined, { schema: schema.name });
  await Promise.all([write(saver, 1, "a"), put(saver, 1)]);
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.pendingWrites).toHaveLength(1);
  await saver.deleteThread("t");
  expect(await saver.getTuple(config("t"))).toBeUndefined();
  await saver.end();
});

test("prepared_statements_are_named_once_and_kept_by_their_connection", async () => {
  const schema = newSchema();
  const pool = new pg.Pool({ connectionString: target.url, max: 1 });
  const options = { schema: schema.name, prepare: true };
  const saver = new PostgresSaver(pool, undefined, options);
  for (const number of [1, 2, 3]) {
    await Promise.all([write(saver, number, "a"), write(saver, number, "b"), put(saver, number)]);
  }
  const { rows } = await pool.query("SELECT statement FROM pg_prepared_statements");
  const texts = rows.map(({ statement }) => statement);
  expect(texts.length).toBeGreaterThan(1);
  expect(new Set(texts).size).toBe(texts.length);
  await saver.end();
});

test("at_most_64_statements_are_prepared", () => {
  const prepared = new Prepared();
  const names = Array.from({ length: 80 }, (_, at) => prepared.nameOf(`SELECT ${at}`));
  expect(new Set(names.slice(0, 64)).size).toBe(64);
  expect(names.slice(64).every((name) => name === undefined)).toBe(true);
  expect(prepared.nameOf("SELECT 3")).toBe(names[3]);
});
