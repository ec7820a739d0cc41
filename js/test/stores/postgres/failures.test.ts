// What callers see when a connection, a right or the server fails, and that a saver goes on when it
// can.

import pg from "pg";

import { DeniedError, StorageError } from "../../../src/entries/index.js";
import { PostgresSaver } from "../../../src/entries/postgres.js";
import { all, config, idOf, ids } from "../../support/checkpoints.js";
import { ServerProxy } from "./support/proxy.js";
import { failure, LONG, put } from "./support/puts.js";
import { startServer } from "./support/server.js";
import { newSchema, rowsOf, type Schema, target } from "./support/target.js";

/** A role that may log in, with these statements run for it. It ends with its test. */
async function newRole(schema: Schema, ...grants: string[]): Promise<string> {
  const role = `lgtest_${schema.name.slice(-12)}`;
  await rowsOf(`CREATE ROLE ${role} LOGIN PASSWORD 'right'`);
  for (const grant of grants) await schema.rows(grant.replaceAll("$role", role));
  onTestFinished(async () => {
    await rowsOf(`DROP OWNED BY ${role} CASCADE`);
    await rowsOf(`DROP ROLE ${role}`);
  });
  return role;
}

const USE = "GRANT USAGE ON SCHEMA $schema TO $role";
const WORK = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO $role";

describe("rights", () => {
  test("a_role_without_create_works_on_a_prepared_schema", async () => {
    const schema = newSchema();
    await schema.open().setup();
    const role = await newRole(schema, USE, WORK);
    const saver = schema.open({}, schema.urlOf(role));
    await saver.setup();
    await put(saver, 1);
    await saver.putWrites(config("t", idOf(1)), [["messages", LONG]], "task");
    expect((await saver.getTuple(config("t")))?.pendingWrites).toHaveLength(1);
    await saver.deleteThread("t");
    expect(await ids(saver.list(config("t")))).toStrictEqual([]);
    await saver.end();
  });

  test("a_role_that_may_create_in_the_schema_only_makes_the_tables", async () => {
    const schema = newSchema();
    await schema.rows("CREATE SCHEMA $schema");
    const role = await newRole(schema, "GRANT USAGE, CREATE ON SCHEMA $schema TO $role");
    const saver = schema.open({}, schema.urlOf(role));
    await put(saver, 1);
    expect(await ids(saver.list(config("t")))).toStrictEqual([idOf(1)]);
    await saver.end();
  });

  test("a_missing_right_is_denied_and_named_by_the_cause", async () => {
    const schema = newSchema();
    await schema.open().setup();
    const role = await newRole(
      schema,
      USE,
      "GRANT SELECT ON ALL TABLES IN SCHEMA $schema TO $role",
    );
    const saver = schema.open({}, schema.urlOf(role));
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    const denied = await failure(() => put(saver, 1));
    expect(denied).toBeInstanceOf(DeniedError);
    expect(denied).toMatchObject({ code: "store-forbidden", stored: "nothing" });
    expect(String((denied as Error).cause)).toContain("permission denied");
    const none = newSchema();
    const unprepared = none.open({}, none.urlOf(role));
    expect(await failure(() => unprepared.setup())).toMatchObject({ code: "store-forbidden" });
    await saver.end();
    await unprepared.end();
  });

  test("a_refused_login_and_a_missing_database_are_denied", async () => {
    const schema = newSchema();
    const missing = new URL(target.url);
    missing.pathname = "/lgtest_missing";
    const lost = schema.open({}, missing.href);
    const denied = await failure(() => lost.getTuple(config("t")));
    expect(denied).toBeInstanceOf(DeniedError);
    expect(denied).toMatchObject({ code: "store-not-provisioned" });
    const unknown = schema.open({}, schema.urlOf("lgtest_nobody", "secret phrase"));
    const refused = await failure(() => unknown.getTuple(config("t")));
    expect(refused).toBeInstanceOf(DeniedError);
    expect(refused).toMatchObject({ code: "store-unauthorized", stored: "nothing" });
    expect(JSON.stringify([refused, String(refused)])).not.toContain("secret phrase");
  });

  test("a_schema_that_is_dropped_is_not_provisioned", async () => {
    const schema = newSchema();
    const saver = schema.open();
    await put(saver, 1);
    await schema.rows("DROP SCHEMA $schema CASCADE");
    const denied = await failure(() => put(saver, 2));
    expect(denied).toMatchObject({ code: "store-not-provisioned", stored: "nothing" });
  });
});

describe("input", () => {
  test.each(["", "\u{e9}".repeat(32), "a\0b", "pg_x"])("the_schema_%j_is_refused", (schema) => {
    const open = () => PostgresSaver.fromConnString(target.url, { schema });
    expect(open).toThrow(expect.objectContaining({ code: "invalid-schema" }));
  });

  test("options_and_pools_are_checked", async () => {
    const open = (options: object) => () => PostgresSaver.fromConnString(target.url, options);
    expect(open({ shema: "x" })).toThrow("there is no option shema; write schema");
    expect(open({ deadlineMs: -1 })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    const none = () => new PostgresSaver({} as unknown as pg.Pool);
    expect(none).toThrow(expect.objectContaining({ code: "invalid-database" }));
    const saver = newSchema().open({}, "postgresql://user:secret%20phrase@host:port/x");
    const refused = await failure(() => saver.setup());
    expect(refused).toMatchObject({ code: "invalid-connection-string" });
    expect(JSON.stringify([refused, String(refused)])).not.toContain("secret");
  });

  test("a_database_in_another_encoding_is_refused", async () => {
    const schema = newSchema();
    const name = `lgtest_${schema.name.slice(-12)}`;
    await rowsOf(
      `CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    );
    const url = new URL(target.url);
    url.pathname = `/${name}`;
    const saver = schema.open({}, url.href);
    const refused = await failure(() => put(saver, 1));
    expect(refused).toMatchObject({ code: "unsupported-server", stored: "nothing" });
    await saver.end();
    await rowsOf(`DROP DATABASE ${name}`);
  });
});

describe("connections", () => {
  const ofSessions = (schema: Schema) => {
    return rowsOf(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
      [schema.name.slice(-12)],
    );
  };
  const named = (schema: Schema, url = target.url) => {
    const with_name = new URL(url);
    with_name.searchParams.set("application_name", schema.name.slice(-12));
    return with_name.href;
  };

  test("a_first_call_waits_for_a_server_that_has_no_connection_left", async () => {
    const schema = newSchema();
    await schema.open().setup();
    const role = await newRole(schema, USE, WORK, "ALTER ROLE $role CONNECTION LIMIT 0");
    const hasty = schema.open({ deadlineMs: 200 }, schema.urlOf(role));
    const busy = { code: "storage-busy", stored: "nothing" };
    expect(await failure(() => put(hasty, 1))).toMatchObject(busy);
    const proxy = await ServerProxy.start();
    const url = new URL(proxy.url);
    [url.username, url.password] = [role, "right"];
    const patient = schema.open({}, url.href);
    const stored = put(patient, 1);
    // It is refused once, and comes again.
    await vi.waitUntil(() => proxy.roundTrips > 1);
    await schema.rows(`ALTER ROLE ${role} CONNECTION LIMIT 5`);
    await stored;
    await hasty.end();
    await patient.end();
  });

  test("an_idle_connection_that_dies_is_replaced", async () => {
    const schema = newSchema();
    const saver = schema.open({}, named(schema));
    await put(saver, 1);
    for (const number of [2, 3, 4]) {
      expect((await ofSessions(schema)).length).toBeGreaterThan(0);
      await put(saver, number);
    }
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(4));
  });

  test("a_connection_that_dies_before_its_first_use_is_replaced", async () => {
    const schema = newSchema();
    const proxy = await ServerProxy.start();
    proxy.answers = "last";
    const saver = schema.open({}, named(schema, proxy.url));
    await schema.open().setup();
    // `pg` learns in one moment that the connection is there, and that it has ended.
    const stored = put(saver, 1);
    await vi.waitUntil(async () => (await ofSessions(schema)).length > 0);
    await stored;
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  });

  test("a_batch_whose_answer_is_lost_is_repeated_and_stored_once", async () => {
    const schema = newSchema();
    const proxy = await ServerProxy.start();
    const saver = schema.open({}, proxy.url);
    await put(saver, 1);
    for (const number of [2, 3, 4, 5]) {
      proxy.answers = "cut";
      await saver.putWrites(config("t", idOf(number - 1)), [["messages", LONG]], "task");
      proxy.answers = "cut";
      await put(saver, number);
    }
    proxy.answers = "cut";
    const tuples = await all(saver.list(config("t")));
    expect(tuples.map((tuple) => tuple.checkpoint.id)).toStrictEqual([5, 4, 3, 2, 1].map(idOf));
    expect(tuples.map((tuple) => tuple.pendingWrites?.length)).toStrictEqual([0, 1, 1, 1, 1]);
  });

  test("a_batch_without_an_answer_fails_at_the_deadline_and_may_be_stored", async () => {
    const schema = newSchema();
    const proxy = await ServerProxy.start();
    const saver = schema.open({ deadlineMs: 400 }, proxy.url);
    await put(saver, 1);
    proxy.answers = "keep";
    const late = await failure(() => put(saver, 2));
    expect(late).toBeInstanceOf(StorageError);
    expect(late).toMatchObject({ code: "storage-timeout", stored: "unknown" });
    const read = await failure(() => saver.getTuple(config("t")));
    expect(read).toMatchObject({ stored: "nothing" });
    proxy.answers = "pass";
    await put(saver, 2);
    expect(await ids(saver.list(config("t")))).toStrictEqual([idOf(2), idOf(1)]);
  });

  test("a_server_that_is_not_there_is_unreachable_at_once", async () => {
    const saver = newSchema().open({}, "postgresql://127.0.0.1:1/postgres");
    const lost = await failure(() => put(saver, 1));
    expect(lost).toBeInstanceOf(StorageError);
    expect(lost).toMatchObject({ code: "storage-unreachable", stored: "nothing" });
  });

  test("a_server_that_says_nothing_is_unreachable_and_keeps_no_place_in_the_pool", async () => {
    const schema = newSchema();
    await schema.open().setup();
    const proxy = await ServerProxy.start();
    const saver = schema.open({ deadlineMs: 300 }, proxy.url);
    proxy.answers = "keep";
    // More than the pool has connections.
    const reads = Array.from({ length: 12 }, () => failure(() => saver.getTuple(config("t"))));
    for (const lost of await Promise.all(reads)) {
      expect(lost).toMatchObject({ code: "storage-unreachable", stored: "nothing" });
    }
    proxy.answers = "pass";
    await vi.waitUntil(async () => (await failure(() => put(saver, 1))) === "nothing failed");
  });

  test("a_pool_without_a_free_connection_is_busy", async () => {
    const schema = newSchema();
    const pool = new pg.Pool({ connectionString: target.url, max: 1 });
    const options = { schema: schema.name, deadlineMs: 300 };
    const saver = new PostgresSaver(pool, undefined, options);
    await put(saver, 1);
    const taken = await pool.connect();
    const busy = await failure(() => saver.getTuple(config("t")));
    expect(busy).toMatchObject({ code: "storage-busy", stored: "nothing" });
    taken.release();
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
    await saver.end();
  });

  test("a_statement_timeout_of_the_role_is_told", async () => {
    const schema = newSchema();
    const url = new URL(named(schema));
    url.searchParams.set("statement_timeout", "200");
    const saver = schema.open({}, url.href);
    await put(saver, 1);
    const blocker = new pg.Client(target.url);
    await blocker.connect();
    await blocker.query(`BEGIN; LOCK TABLE ${schema.quoted}.lg_records`);
    expect(await failure(() => put(saver, 2))).toMatchObject({
      code: "storage-timeout",
      stored: "nothing",
    });
    await blocker.end();
    await put(saver, 2);
  });

  test("sessions_are_named_and_have_no_statements_that_a_pooler_would_lose", async () => {
    const schema = newSchema();
    const saver = schema.open();
    await put(saver, 1);
    const text = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1";
    const [row] = await rowsOf(text, ["langgraph-checkpoint-wasm"]);
    expect(row?.count).toBeGreaterThan(0);
    const pool = new pg.Pool({ connectionString: target.url, max: 1 });
    const other = new PostgresSaver(pool, undefined, { schema: schema.name });
    await put(other, 2);
    const { rows } = await pool.query("SELECT name FROM pg_prepared_statements");
    expect(rows).toStrictEqual([]);
    await other.end();
  });

  test("after_its_end_a_saver_is_closed_and_calls_under_way_are_not_lost", async () => {
    const schema = newSchema();
    const saver = schema.open();
    await saver.setup();
    const calls = [1, 2, 3].map((number) => put(saver, number));
    await saver.end();
    await Promise.all(calls);
    expect(await failure(() => put(saver, 4))).toMatchObject({ code: "storage-closed" });
    expect(await ids(schema.open().list(config("t")))).toStrictEqual([3, 2, 1].map(idOf));
  });
});

test.skipIf(!target.isOwn)("a_wrong_password_and_a_missing_one_are_unauthorized", async () => {
  // A server of its own: `pg` leaves the connection of a missing password open.
  const server = await startServer();
  onTestFinished(server.stop);
  const admin = new pg.Client(server.url);
  await admin.connect();
  await admin.query("CREATE ROLE locked LOGIN PASSWORD 'right'");
  await admin.query("CREATE SCHEMA mine AUTHORIZATION locked");
  await admin.end();
  const open = (password: string) => {
    const url = new URL(server.url);
    [url.username, url.password] = ["locked", password];
    return PostgresSaver.fromConnString(url.href, { schema: "mine" });
  };
  for (const password of ["wrong", ""]) {
    const refused = await failure(() => put(open(password), 1));
    expect(refused).toBeInstanceOf(DeniedError);
    expect(refused).toMatchObject({ code: "store-unauthorized", stored: "nothing" });
  }
  const saver = open("right");
  await put(saver, 1);
  await saver.end();
});

test.skipIf(!target.isOwn)("a_server_that_restarts_loses_no_acknowledged_checkpoint", async () => {
  const server = await startServer();
  onTestFinished(server.stop);
  const saver = PostgresSaver.fromConnString(server.url, { schema: "restarted" });
  const admin = new pg.Client(server.url);
  admin.on("error", () => {});
  await admin.connect();
  await put(saver, 1);
  const acknowledged: number[] = [1];
  const writing = (async () => {
    for (let number = 2; number <= 60; number += 1) {
      await put(saver, number);
      acknowledged.push(number);
    }
  })();
  // A process that is killed makes PostgreSQL end all sessions and recover from its log.
  const kill =
    "DO $$ BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', " +
    "'kill -9 ' || pg_backend_pid()); END $$";
  await admin.query(kill).catch(() => {});
  await writing;
  const found = await ids(saver.list(config("t")));
  expect(found).toStrictEqual(acknowledged.map(idOf).reverse());
  await saver.end();
});
