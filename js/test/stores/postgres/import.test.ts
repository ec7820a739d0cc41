// Schemas of LangGraph's own PostgresSaver, imported by the program.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { PostgresSaver as StockSaver } from "@langchain/langgraph-checkpoint-postgres";

import { imported } from "../../entries/import/program.js";
import { answer, fill, ownTuples, read } from "../../entries/import/stock.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { newSchema, rowsOf, target } from "./support/target.js";

let stock: StockSaver;
let schema: string;

beforeEach(async () => {
  // The stock saver does not quote quotes.
  schema = `stock-${randomBytes(6).toString("hex")}`;
  stock = StockSaver.fromConnString(target.url, { schema });
  await stock.setup();
  await fill(stock);
});

afterEach(async () => {
  await stock.end();
  await rowsOf(`DROP SCHEMA "${schema}" CASCADE`);
});

test("every_tuple_is_what_the_stock_saver_reads", async () => {
  const tuples = await read(stock);
  const file = join(temporaryFolder(), "checkpoints.db");
  const from = ["--source-schema", schema, "--verify"];
  const { verified, notes } = imported(target.url, file, from);
  expect([verified, notes]).toEqual([{ checkpoints: tuples.length, different: 0 }, []]);
  expect(await ownTuples(file)).toStrictEqual(tuples);

  const own = newSchema();
  imported(target.url, target.url, [...from, "--schema", own.name]);
  expect(await read(own.open())).toStrictEqual(tuples);
});

test("a_schema_can_be_imported_into_itself_and_its_saver_warns_before", async () => {
  const tuples = await read(stock);
  const { PostgresSaver } = await import("../../../src/entries/postgres.js");
  const warnings: unknown[] = [];
  const emit = vi.spyOn(process, "emitWarning").mockImplementation((text) => {
    warnings.push(text);
  });
  const before = PostgresSaver.fromConnString(target.url, { schema });
  expect(await read(before)).toEqual([]);
  await before.end();
  emit.mockRestore();
  expect(warnings).toEqual([expect.stringContaining("langgraph-checkpoint-wasm import")]);

  const { threads } = imported(target.url, target.url, [
    ...["--source-schema", schema, "--schema", schema, "--verify"],
  ]);
  expect(threads).toEqual({ found: 3, imported: 3, present: 0, conflicting: 0 });
  const after = PostgresSaver.fromConnString(target.url, { schema });
  expect(await read(after)).toStrictEqual(tuples);
  expect((await answer(after, "waiting", "this")).notes).toContain("child 2: this");
  await after.end();
  expect(await read(stock)).toStrictEqual(tuples);
});

test("values_that_forks_share_are_noted", async () => {
  const first = checkpoint(1, { xs: [1] });
  const parent = config("forks", first.id);
  await stock.put(config("forks"), first, metadata(1), { xs: 1 });
  for (const fork of [2, 3]) {
    const { channel_values, ...rest } = checkpoint(fork, { xs: [fork] });
    const forked = { ...rest, channel_values, channel_versions: { xs: 2 } };
    await stock.put(parent, forked, metadata(2), { xs: 2 });
  }
  const file = join(temporaryFolder(), "checkpoints.db");
  const { notes } = imported(target.url, file, ["--source-schema", schema]);
  expect(notes).toMatchObject([{ code: "shared-by-forks", count: 1, threads: ["forks"] }]);
  expect(notes[0].message).toContain("channel xs at version 2");
});

test("no_address_is_in_the_report", () => {
  const file = join(temporaryFolder(), "checkpoints.db");
  const report = imported(target.url, file, ["--source-schema", schema, "--dry-run"]);
  expect(JSON.stringify(report)).not.toContain("postgresql:");
});
