// The drivers other than `pg`: their own clients, and what becomes of them when something fails.
// What every driver has to pass runs in projects of their own.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PGlite } from "@electric-sql/pglite";
import { neon, neonConfig } from "@neondatabase/serverless";
import postgres from "postgres";

import { PostgresSaver as OnNeon } from "../../../src/entries/neon.js";
import { PostgresSaver as OnPGlite } from "../../../src/entries/pglite.js";
import { PostgresSaver as OnPostgresJs } from "../../../src/entries/postgres-js.js";
import { all, config, idOf, ids } from "../../support/checkpoints.js";
import { startNeonEndpoint } from "./support/neon-endpoint.js";
import { ServerProxy } from "./support/proxy.js";
import { failure, LONG, put } from "./support/puts.js";
import { newSchema, rowsOf, type Schema, target } from "./support/target.js";

test.each([
  ["postgres.js", OnPostgresJs],
  ["PGlite", OnPGlite],
  ["Neon", OnNeon],
])("what_is_no_client_of_%s_is_refused", (_, Saver) => {
  for (const client of [{}, undefined, "postgresql://localhost/app", () => {}]) {
    expect(() => new Saver(client as never)).toThrow(
      expect.objectContaining({ code: "invalid-database" }),
    );
  }
});

describe("postgres.js", () => {
  const onPostgresJs = (schema: Schema, url = target.url, options = {}) => {
    const sql = postgres(url, {
      max: 2,
      connection: { application_name: schema.name.slice(-12) },
      // A program's own settings change nothing.
      prepare: true,
      types: { bigint: postgres.BigInt },
      transform: { undefined: null, column: postgres.toCamel, value: { from: () => "changed" } },
    });
    return new OnPostgresJs(sql, undefined, { schema: schema.name, ...options });
  };

  test("a_prepared_statement_is_one_round_trip", async () => {
    const proxy = await ServerProxy.start();
    const sql = postgres(proxy.url, { max: 1 });
    const options = { schema: newSchema().name, prepare: true };
    const saver = new OnPostgresJs(sql, undefined, options);
    for (const number of [1, 2, 3]) await put(saver, number);
    proxy.roundTrips = 0;
    await put(saver, 4);
    expect(proxy.roundTrips).toBe(1);
    await saver.end();
  });

  test("a_connection_that_dies_is_replaced", async () => {
    const schema = newSchema();
    const saver = onPostgresJs(schema);
    const kill =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    for (const number of [1, 2, 3]) {
      await put(saver, number);
      expect((await rowsOf(kill, [schema.name.slice(-12)])).length).toBeGreaterThan(0);
    }
    expect(await ids(saver.list(config("t")))).toStrictEqual([3, 2, 1].map(idOf));
    await saver.end();
    expect(await failure(() => put(saver, 4))).toMatchObject({ code: "storage-closed" });
  });

  test("a_batch_whose_answer_is_lost_is_repeated_and_stored_once", async () => {
    const schema = newSchema();
    const proxy = await ServerProxy.start();
    const saver = onPostgresJs(schema, proxy.url);
    await put(saver, 1);
    for (const number of [2, 3]) {
      proxy.answers = "cut";
      await put(saver, number);
    }
    proxy.answers = "cut";
    expect(await ids(saver.list(config("t")))).toStrictEqual([3, 2, 1].map(idOf));
    await saver.end();
  });

  test("an_answer_that_never_comes_fails_at_the_deadline", async () => {
    const proxy = await ServerProxy.start();
    const saver = onPostgresJs(newSchema(), proxy.url, { deadlineMs: 400 });
    await put(saver, 1);
    proxy.answers = "keep";
    const late = await failure(() => put(saver, 2));
    expect(late).toMatchObject({ code: "storage-timeout", stored: "unknown" });
  });

  test("a_server_that_is_not_there_is_unreachable_at_once", async () => {
    const saver = onPostgresJs(newSchema(), "postgresql://127.0.0.1:1/postgres");
    const lost = await failure(() => put(saver, 1));
    expect(lost).toMatchObject({ code: "storage-unreachable", stored: "nothing" });
  });

  test("a_dropped_schema_and_a_refused_login_are_denied", async () => {
    const schema = newSchema();
    const saver = onPostgresJs(schema);
    await put(saver, 1);
    await schema.rows("DROP SCHEMA $schema CASCADE");
    const denied = await failure(() => put(saver, 2));
    expect(denied).toMatchObject({ code: "store-not-provisioned", stored: "nothing" });
    await saver.end();
    const other = onPostgresJs(schema, schema.urlOf("lgtest_nobody", "secret phrase"));
    const refused = await failure(() => put(other, 1));
    expect(refused).toMatchObject({ code: "store-unauthorized", stored: "nothing" });
    await other.end();
  });
});

describe("PGlite", () => {
  test("a_database_in_a_folder_is_found_again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lgtest-pglite-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const first = new OnPGlite(new PGlite(folder), undefined, { schema: "agents" });
    await first.setup();
    await Promise.all([1, 2].map((number) => put(first, number)));
    await first.end();
    expect(await failure(() => put(first, 3))).toMatchObject({ code: "storage-closed" });
    const second = new OnPGlite(new PGlite(folder), undefined, { schema: "agents" });
    const tuples = await all(second.list(config("t")));
    expect(tuples.map(({ checkpoint: { channel_values } }) => channel_values)).toStrictEqual(
      [2, 1].map((number) => ({ messages: [`${LONG}${number}`] })),
    );
    await second.end();
  });
});

describe("Neon", () => {
  /** An endpoint with a server of the test before it, that may answer itself. */
  async function behind(schema: Schema, answer: (count: number) => number | "hang" | undefined) {
    const endpoint = await startNeonEndpoint();
    const requests: string[] = [];
    const listener: RequestListener = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      requests.push(Buffer.concat(chunks).toString());
      const status = answer(requests.length);
      if (status === "hang") return;
      if (status !== undefined) return response.writeHead(status).end("busy");
      const headers = Object.entries(request.headers).filter(([name]) => name.startsWith("neon-"));
      const passed = await fetch(endpoint.url, {
        method: "POST",
        headers: headers as [string, string][],
        body: Buffer.concat(chunks),
      });
      response.writeHead(passed.status).end(await passed.text());
    };
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    neonConfig.fetchEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sql`;
    onTestFinished(async () => {
      server.closeAllConnections();
      server.close();
      await endpoint.stop();
    });
    const open = (options = {}) => {
      return new OnNeon(neon(target.url), undefined, { schema: schema.name, ...options });
    };
    return { open, requests };
  }

  test("each_call_and_each_superstep_is_one_request", async () => {
    const { open, requests } = await behind(newSchema(), () => undefined);
    const saver = open();
    await put(saver, 1);
    const counted = async (call: () => Promise<unknown>) => {
      const before = requests.length;
      await call();
      return requests.length - before;
    };
    expect(await counted(() => put(saver, 2))).toBe(1);
    expect(await counted(() => saver.getTuple(config("t")))).toBe(1);
    const write = () => saver.putWrites(config("t", idOf(2)), [["messages", LONG]], "task");
    expect(await counted(() => Promise.all([write(), put(saver, 3)]))).toBe(1);
    expect(await counted(() => all(saver.list(config("t"), { limit: 2 })))).toBe(1);
    expect(await counted(() => saver.deleteThread("t"))).toBe(1);
  });

  test("a_busy_proxy_is_asked_again", async () => {
    const { open } = await behind(newSchema(), (count) => (count % 3 === 0 ? 503 : undefined));
    const saver = open();
    for (const number of [1, 2, 3]) await put(saver, number);
    expect(await ids(saver.list(config("t")))).toStrictEqual([3, 2, 1].map(idOf));
  });

  test("a_request_without_an_answer_fails_at_the_deadline", async () => {
    let answer: "hang" | undefined;
    const { open } = await behind(newSchema(), () => answer);
    const saver = open({ deadlineMs: 400 });
    await put(saver, 1);
    answer = "hang";
    const late = await failure(() => put(saver, 2));
    expect(late).toMatchObject({ code: "storage-timeout", stored: "unknown" });
    answer = undefined;
    await put(saver, 2);
  });

  test("what_the_server_refuses_is_typed", async () => {
    const schema = newSchema();
    const { open } = await behind(schema, () => undefined);
    const saver = open();
    await put(saver, 1);
    await schema.rows("DROP SCHEMA $schema CASCADE");
    const denied = await failure(() => put(saver, 2));
    expect(denied).toMatchObject({ code: "store-not-provisioned", stored: "nothing" });
    neonConfig.fetchEndpoint = "http://127.0.0.1:1/sql";
    const lost = await failure(() => new OnNeon(neon(target.url)).setup());
    expect(lost).toMatchObject({ code: "storage-unreachable", stored: "nothing" });
  });
});
