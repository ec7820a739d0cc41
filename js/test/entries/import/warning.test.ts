// A saver says once that a database has threads of LangGraph's own saver, which it does not read.

import { join } from "node:path";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { imported } from "./program.js";
import { makeStock } from "./stock.js";

/** The warnings that a saver on a file gives for two reads. */
async function warningsOf(path: string): Promise<string[]> {
  const warnings: string[] = [];
  const emit = vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
    warnings.push(String(warning));
  });
  const saver = SqliteSaver.fromConnString(path);
  try {
    await saver.getTuple(config("idle"));
    await saver.getTuple(config("idle"));
  } finally {
    saver.close();
    emit.mockRestore();
  }
  return warnings;
}

test("a_saver_on_a_stock_file_warns_once_and_names_the_command", async () => {
  const stock = join(temporaryFolder(), "stock.db");
  await makeStock(stock);
  for (const opened of ["first", "again"]) {
    const warnings = await warningsOf(stock);
    expect(warnings, opened).toEqual([expect.stringContaining("langgraph-checkpoint-wasm import")]);
  }
  imported(stock, stock);
  expect(await warningsOf(stock)).toEqual([]);
});

test("a_saver_that_has_threads_of_its_own_does_not_warn", async () => {
  const stock = join(temporaryFolder(), "stock.db");
  await makeStock(stock);
  const saver = SqliteSaver.fromConnString(stock);
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await saver.put(config("own"), checkpoint(1), metadata(1));
  emit.mockRestore();
  saver.close();
  expect(await warningsOf(stock)).toEqual([]);
});

test("tables_of_a_program_and_empty_ones_give_no_warning", async () => {
  for (const text of [
    "CREATE TABLE checkpoints (thread_id, checkpoint_ns); CREATE TABLE writes (thread_id)",
    "CREATE TABLE checkpoints (id); INSERT INTO checkpoints VALUES (1)",
    "CREATE VIEW checkpoints AS SELECT 1; CREATE TABLE writes (thread_id)",
  ]) {
    const path = join(temporaryFolder(), "other.db");
    new Database(path).exec(text).close();
    expect(await warningsOf(path), text).toEqual([]);
  }
});
