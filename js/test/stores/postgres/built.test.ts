// The built package, as programs use it, with pools of the installed `pg` and its types.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import pg from "pg";

import type * as Entry from "../../../src/entries/postgres.js";
import { config } from "../../support/checkpoints.js";
import { newSchema, rowsOf, target } from "./support/target.js";

const run = promisify(execFile);

// Resolved when it runs: the checks come before the build.
const BUILT = "langgraph-checkpoint-wasm/postgres";
const { PostgresSaver }: typeof Entry = await import(BUILT);

const PROGRAM = `
  const { POSTGRES_URL: url, SCHEMA: schema } = process.env;
  const checkpointer = PostgresSaver.fromConnString(url, { schema });
  const at = { configurable: { thread_id: "t", checkpoint_ns: "" } };
  const checkpoint = {
    v: 4, id: "1", ts: "2027-01-01T00:00:00.000Z",
    channel_values: { messages: ["hello"] }, channel_versions: { messages: 1 }, versions_seen: {},
  };
  checkpointer.setup()
    .then(() => checkpointer.put(at, checkpoint, { source: "input", step: -1, parents: {} }, {
      messages: 1,
    }))
    .then(() => checkpointer.getTuple(at))
    .then((tuple) => console.log(tuple.checkpoint.channel_values.messages[0]));
`;

test("the_example_of_the_document_prints_what_it_says", async () => {
  const document = await readFile(new URL("../../../../docs/postgres.md", import.meta.url), "utf8");
  const [, example = ""] = /^```js\n(.*?)^```/ms.exec(document) ?? [];
  const { name } = newSchema();
  const text = example
    .replace('"postgresql://localhost/app"', JSON.stringify(target.url))
    .replace('"agents"', JSON.stringify(name));
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", text]);
  expect(stdout).toBe("[ 'first', 'hello, note 1' ]\n");
  for (const [, query = ""] of document.matchAll(/^```sql\n(.*?)^```/gms)) {
    for (const statement of query.split(";\n").filter((one) => !one.startsWith("GRANT"))) {
      const [row] = await rowsOf(statement.replaceAll("agents.", `${pg.escapeIdentifier(name)}.`));
      if (statement.startsWith("SELECT r.")) expect(row).toMatchObject({ step: "-1" });
      if (statement.startsWith("SELECT t.")) expect(row).toMatchObject({ thread_id: "readme" });
    }
  }
});

test.each([
  ["module", 'import { PostgresSaver } from "langgraph-checkpoint-wasm/postgres";'],
  ["commonjs", 'const { PostgresSaver } = require("langgraph-checkpoint-wasm/postgres");'],
])("a_program_as_%s_ends_by_itself", async (type, load) => {
  const schema = newSchema();
  const env = { ...process.env, POSTGRES_URL: target.url, SCHEMA: schema.name };
  const program = [`--input-type=${type}`, "--eval", load + PROGRAM];
  const { stdout } = await run(process.execPath, program, { env });
  expect(stdout).toBe("hello\n");
});

test("a_pool_of_pg_is_accepted_by_type_and_ended_with_the_saver", async () => {
  const pool = new pg.Pool({ connectionString: target.url, max: 2 });
  const schema = newSchema();
  const saver = new PostgresSaver(pool, undefined, { schema: schema.name });
  await saver.setup();
  expect(await saver.getTuple(config("t"))).toBeUndefined();
  await saver.end();
  expect(pool.ended).toBe(true);
});

test("without_a_schema_the_tables_are_in_the_public_one", async () => {
  const name = `lgtest_${newSchema().name.slice(-12)}`;
  await rowsOf(`CREATE DATABASE ${name}`);
  const url = new URL(target.url);
  url.pathname = `/${name}`;
  const saver = PostgresSaver.fromConnString(url.href);
  await saver.setup();
  const client = new pg.Client(url.href);
  await client.connect();
  const { rows } = await client.query(
    "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'lg\\_%'",
  );
  expect(rows).toStrictEqual([{ schemaname: "public" }]);
  await client.end();
  await saver.end();
  await rowsOf(`DROP DATABASE ${name}`);
});

const DEMO = fileURLToPath(new URL("../../../demo/postgres.mjs", import.meta.url));

test.each([
  ["the_server", [target.url]],
  ["pglite", []],
])("the_demo_on_%s_goes_on_with_the_threads_of_a_killed_process", async (_, server) => {
  const { name } = newSchema();
  const { stdout } = await run(process.execPath, [DEMO, name, ...server]);
  expect(stdout).toContain("(one was killed: SIGKILL)");
  const after = stdout.slice(stdout.indexOf("\n2. "));
  for (const thread of ["alice", "bob", "carol", "dave"]) {
    expect(after).toMatch(new RegExp(`two \\| ${thread} +\\| 12 messages \\| Done\\. Booked`));
    expect(after).toMatch(new RegExp(`${thread} +15 checkpoints`));
  }
});
