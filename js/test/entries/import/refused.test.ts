// What an import leaves alone or out, and that the rest is imported all the same.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { imported } from "./program.js";
import { graphOn, makeStock, ownTuples, stockTuples } from "./stock.js";

let stock: string;
let target: string;

beforeEach(async () => {
  const folder = temporaryFolder();
  [stock, target] = [join(folder, "stock.db"), join(folder, "checkpoints.db")];
  await makeStock(stock);
});

function change(path: string, text: string, ...values: unknown[]): void {
  const db = new Database(path);
  expect(db.prepare(text).run(...values).changes).toBeGreaterThan(0);
  db.close();
}

test("a_thread_that_was_resumed_in_the_target_keeps_its_newer_writes", async () => {
  const at = config("odd", checkpoint(3).id);
  const source = StockSaver.fromConnString(stock);
  await source.putWrites(at, [["__resume__", ["one"]]], "task");
  source.db.close();
  imported(stock, target);
  const saver = SqliteSaver.fromConnString(target);
  await saver.putWrites(at, [["__resume__", ["one", "two"]]], "task");
  saver.close();
  const tuples = await ownTuples(target);
  expect(imported(stock, target, [], 1).problems).toMatchObject([
    { code: "conflicting-thread", count: 1, threads: ["odd"] },
  ]);
  expect(await ownTuples(target)).toStrictEqual(tuples);
});

test("a_subgraph_that_went_on_alone_in_the_source_is_completed", async () => {
  imported(stock, target);
  const source = StockSaver.fromConnString(stock);
  const before = await source.getTuple(config("waiting"));
  const app = graphOn(source);
  const [task] = (await app.getState(config("waiting"), { subgraphs: true })).tasks;
  const child = task?.state && "config" in task.state ? task.state.config : {};
  await app.updateState(child, { notes: ["by hand"] });
  expect(await source.getTuple(config("waiting"))).toStrictEqual(before);
  source.db.close();
  expect(imported(stock, target, ["--verify"]).threads).toMatchObject({ imported: 1, present: 2 });
  expect(await ownTuples(target)).toStrictEqual(await stockTuples(stock));
});

test("an_id_that_no_store_accepts_leaves_out_its_checkpoint_alone", async () => {
  const before = await stockTuples(stock);
  const set = "UPDATE checkpoints SET checkpoint_id = ? WHERE checkpoint_id = ?";
  change(stock, set, "2".repeat(2000), checkpoint(2).id);
  const { problems, verified } = imported(stock, target, ["--verify"], 1);
  expect(problems).toMatchObject([
    { code: "oversized-id", count: 1, threads: ["odd"] },
    { code: "different-checkpoint", count: 1 },
  ]);
  expect(verified).toEqual({ checkpoints: before.length, different: 1 });
  const rest = before.filter(({ checkpoint: { id } }) => id !== checkpoint(2).id);
  expect(await ownTuples(target)).toStrictEqual(rest);
});

test("a_dry_run_reports_what_the_import_does_and_changes_nothing", async () => {
  const both = (status: number) => {
    const before = existsSync(target) ? readFileSync(target) : undefined;
    const dry = imported(stock, target, ["--dry-run"], status);
    expect(existsSync(target) ? readFileSync(target) : undefined).toEqual(before);
    expect({ ...dry, dryRun: false }).toEqual(imported(stock, target, [], status));
    return dry;
  };
  const set = "UPDATE checkpoints SET checkpoint_id = ? WHERE checkpoint_id = ?";
  change(stock, set, "2".repeat(2000), checkpoint(2).id);
  expect(both(1).problems).toMatchObject([{ code: "oversized-id", threads: ["odd"] }]);
  change(stock, "UPDATE checkpoints SET thread_id = ? WHERE thread_id = 'idle'", "i".repeat(2000));
  change(target, "UPDATE lg_threads SET thread_id = 'other' WHERE thread_id = 'waiting'");
  const { threads, problems } = both(1);
  expect([threads.imported, threads.present]).toEqual([2, 1]);
  expect(problems).toMatchObject([{ code: "oversized-id" }]);
});

test("a_thread_whose_id_is_bytes_is_named", () => {
  change(stock, "UPDATE checkpoints SET thread_id = x'6964' WHERE thread_id = 'idle'");
  change(stock, "DELETE FROM writes WHERE thread_id = 'idle'");
  const { problems, threads } = imported(stock, target, [], 1);
  expect([threads.found, problems]).toMatchObject([2, [{ code: "unreadable-stock-id" }]]);
});

test("a_thread_that_is_damaged_in_the_target_is_named_and_others_are_completed", async () => {
  imported(stock, target);
  const key = "(SELECT thread_key FROM lg_threads WHERE thread_id = 'idle')";
  change(target, `DELETE FROM lg_chunks WHERE thread_key = ${key}`);
  change(stock, "UPDATE checkpoints SET thread_id = 'new' WHERE thread_id = 'waiting'");
  const { problems, threads } = imported(stock, target, [], 1);
  expect(problems).toMatchObject([{ code: "missing-chunk", count: 1, threads: ["idle"] }]);
  expect([threads.imported, threads.present]).toEqual([1, 2]);
});
