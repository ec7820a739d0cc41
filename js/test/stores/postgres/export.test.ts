// Threads of this package, exported to LangGraph's own PostgresSaver by the program.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { PostgresSaver as StockSaver } from "@langchain/langgraph-checkpoint-postgres";

import { PostgresSaver } from "../../../src/entries/postgres.js";
import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { exported, imported } from "../../entries/import/program.js";
import { answer, fill, ownTuples, read } from "../../entries/import/stock.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { rowsOf, target } from "./support/target.js";

let schema: string;
let own: string;
const schemas: string[] = [];

/** A name of a schema that no other test has. */
function newName(): string {
  const name = `stock-${randomBytes(6).toString("hex")}`;
  schemas.push(name);
  return name;
}

beforeEach(() => {
  schema = newName();
  own = join(temporaryFolder(), "own.db");
});

afterEach(async () => {
  for (const name of schemas.splice(0)) await rowsOf(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
});

/** A stock saver on a schema, until the test has ended. */
function stockOn(name: string): StockSaver {
  const saver = StockSaver.fromConnString(target.url, { schema: name });
  onTestFinished(() => saver.end());
  return saver;
}

test("what_is_exported_reads_in_the_stock_saver_as_what_was_imported", async () => {
  const stock = stockOn(newName());
  await stock.setup();
  await fill(stock);
  const [, from] = schemas;
  imported(target.url, own, ["--source-schema", String(from)]);
  const report = exported(own, target.url, ["--schema", schema]);
  expect([report.notes, report.problems]).toEqual([[], []]);
  const back = stockOn(schema);
  await back.setup();
  const tuples = await read(stock);
  expect(await read(back)).toStrictEqual(tuples);

  const again = exported(own, target.url, ["--schema", schema]);
  expect(again.threads).toEqual({ found: 3, exported: 0, present: 3, conflicting: 0 });
  expect(again.stored).toEqual({ checkpoints: 0, writes: 0 });
  expect((await answer(back, "waiting", "this")).notes).toContain("child 2: this");
  expect(exported(own, target.url, ["--schema", schema]).threads.present).toBe(3);
});

test("a_schema_can_be_exported_into_itself", async () => {
  // The stock saver does not quote quotes, which other names in these tests have.
  const saver = PostgresSaver.fromConnString(target.url, { schema });
  onTestFinished(() => saver.end());
  await fill(saver);
  const { notes, problems } = exported(target.url, target.url, [
    ...["--source-schema", schema, "--schema", schema],
  ]);
  expect(problems).toEqual([]);
  // One thread has bytes inside a map, which are a record of this package. Defaults that LangGraph
  // never wrote have no version.
  const codes = notes.map(({ code }: { code: string }) => code).sort();
  expect(codes).toEqual(["own-records", "value-without-version"]);
  const others = async (of: BaseCheckpointSaver) => {
    const tuples = await read(of);
    const mapped = tuples.map(({ checkpoint, ...tuple }) => {
      const { channel_values, channel_versions } = checkpoint;
      const versioned = Object.entries(channel_values).filter(([name]) => name in channel_versions);
      const values = Object.fromEntries(versioned);
      return { ...tuple, checkpoint: { ...checkpoint, channel_values: values } };
    });
    return mapped.filter(({ config }) => config.configurable?.thread_id !== "odd");
  };
  expect(await others(stockOn(schema))).toStrictEqual(await others(saver));
});

test("a_value_that_a_fork_has_at_the_same_version_is_named_and_not_stored", async () => {
  const saver = SqliteSaver.fromConnString(own);
  await saver.put(config("forks"), checkpoint(1, { xs: [1] }), metadata(1));
  const parent = config("forks", checkpoint(1).id);
  for (const fork of [2, 3]) {
    const forked = { ...checkpoint(fork, { xs: [fork] }), channel_versions: { xs: 2 } };
    await saver.put(parent, forked, metadata(2));
  }
  saver.close();
  const { problems, stored } = exported(own, target.url, ["--schema", schema], 1);
  expect(stored.checkpoints).toBe(2);
  expect(problems).toMatchObject([{ code: "shared-by-forks", count: 1, threads: ["forks"] }]);
  const [, second] = await ownTuples(own);
  const ids = (await read(stockOn(schema))).map(({ checkpoint }) => checkpoint.id);
  expect(ids).toContain(second?.checkpoint.id);
});

test("texts_that_jsonb_does_not_hold_are_named", async () => {
  const saver = SqliteSaver.fromConnString(own);
  await saver.put(config("texts"), checkpoint(1), metadata(1, { zero: "a\u0000b" }));
  await saver.put(config("texts"), checkpoint(2), metadata(2, { quoted: '"\\u0000' }));
  await saver.put(config("texts"), checkpoint(3), metadata(3, { half: "\ud800" }));
  saver.close();
  const { problems, stored } = exported(own, target.url, ["--schema", schema], 1);
  expect(stored.checkpoints).toBe(1);
  expect(problems).toMatchObject([{ code: "unfit-checkpoint", count: 2 }]);
  const [tuple] = await read(stockOn(schema));
  expect(tuple?.metadata).toMatchObject({ quoted: '"\\u0000' });
});
