// The program's `sql postgres`, for administrators: what it prints is what a setup does.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import pg from "pg";

import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { newSchema, rowsOf, type Schema, target } from "./support/target.js";

const run = promisify(execFile);

// Built before these tests run.
const PROGRAM = fileURLToPath(new URL("../../../dist/entries/cli.js", import.meta.url));

async function printed(...args: string[]): Promise<string> {
  return (await run(process.execPath, [PROGRAM, ...args])).stdout;
}

async function refusal(...args: string[]): Promise<unknown> {
  return printed(...args).catch((thrown) => thrown);
}

/** Runs a script, as `psql` does. */
async function runScript(text: string): Promise<void> {
  const client = new pg.Client(target.url);
  await client.connect();
  await client.query(text);
  await client.end();
}

/** Everything that the schema's objects are made of. */
async function objects(schema: Schema): Promise<unknown> {
  const columns = await rowsOf(
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, " +
      "a.attstorage, a.attidentity, a.attcollation FROM pg_attribute a " +
      "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace " +
      "WHERE n.nspname = $1 AND a.attnum > 0 ORDER BY c.relname, a.attnum",
    [schema.name],
  );
  return { columns, formats: await schema.rows("SELECT format FROM $schema.lg_format") };
}

test("a_role_without_create_works_on_what_the_program_prepared", async () => {
  const schema = newSchema();
  const script = await printed("sql", "postgres", "--schema", schema.name);
  const role = `lgtest_${schema.name.slice(-12)}`;
  await runScript(script);
  // It may be run again, as when a new version adds something.
  await runScript(script);
  await rowsOf(`CREATE ROLE ${role} LOGIN`);
  await schema.rows(`GRANT USAGE ON SCHEMA $schema TO ${role}`);
  await schema.rows(
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO ${role}`,
  );
  const saver = schema.open({}, schema.urlOf(role));
  await saver.setup();
  const stored = checkpoint(1, { messages: ["a"] });
  await saver.put(config("t"), stored, metadata(1), stored.channel_versions);
  await saver.putWrites(config("t", idOf(1)), [["messages", "b"]], "task");
  expect((await saver.getTuple(config("t")))?.pendingWrites).toHaveLength(1);
  await saver.deleteThread("t");
  expect(await ids(saver.list(config("t")))).toStrictEqual([]);
  await saver.end();
  await rowsOf(`DROP OWNED BY ${role} CASCADE`);
  await rowsOf(`DROP ROLE ${role}`);
});

test("the_program_prepares_what_a_setup_makes", async () => {
  const [own, scripted] = [newSchema(), newSchema()];
  await own.open().setup();
  await runScript(await printed("sql", "postgres", "--schema", scripted.name));
  expect(await objects(scripted)).toStrictEqual(await objects(own));
});

test("a_command_that_only_reads_makes_no_schema_and_does_not_show_the_address", async () => {
  const { name } = newSchema();
  const refused = await refusal("threads", target.url, "--schema", name);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused).toHaveProperty(
    "stderr",
    expect.stringMatching(/^the schema has no store of this/),
  );
  expect(await rowsOf("SELECT 1 FROM pg_namespace WHERE nspname = $1", [name])).toEqual([]);
});

test("without_a_schema_it_prints_for_the_public_one", async () => {
  expect(await printed("sql", "postgres")).toContain('"public".lg_records');
});

test.each([
  [[], "name a command"],
  [["sequel"], "there is no command sequel"],
  [["sql"], "name the store: postgres"],
  [["sql", "postgres", "--shema", "a"], "--shema"],
  [["sql", "postgres", "--schema", ""], "the schema's name is empty"],
])("the_arguments_%j_are_refused_with_a_hint", async (args, why) => {
  const refused = await refusal(...args);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused).toHaveProperty("stderr", expect.stringContaining(why));
  expect(refused).toHaveProperty("stderr", expect.stringContaining("--help"));
});
