// A file of LangGraph's own SqliteSaver, imported by the program.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { imported, run } from "./program.js";
import { answer, graphOn, hashOf, makeStock, ownTuples, stockTuples } from "./stock.js";

let folder: string;
let stock: string;
let target: string;

beforeEach(async () => {
  folder = temporaryFolder();
  [stock, target] = [join(folder, "stock.db"), join(folder, "checkpoints.db")];
  await makeStock(stock);
});

test("every_tuple_is_what_the_stock_saver_reads_and_the_source_stays", async () => {
  const before = hashOf(stock);
  const report = imported(stock, target, ["--verify"]);
  expect(hashOf(stock)).toBe(before);
  expect(report.threads).toEqual({ found: 3, imported: 3, present: 0, conflicting: 0 });
  const tuples = await stockTuples(stock);
  expect(tuples.length).toBeGreaterThan(15);
  expect(report.stored.checkpoints).toBe(tuples.length);
  expect(report.verified).toEqual({ checkpoints: tuples.length, different: 0 });
  expect(await ownTuples(target)).toStrictEqual(tuples);
});

test("every_value_keeps_its_bytes", () => {
  imported(stock, target);
  const { threads, problems } = imported(stock, target, ["--verify"]);
  expect([threads.present, problems]).toEqual([3, []]);
});

test("an_interrupted_thread_goes_on", async () => {
  imported(stock, target);
  const saver = SqliteSaver.fromConnString(target);
  onTestFinished(() => saver.close());
  const thread = { configurable: { thread_id: "waiting" } };
  const [task] = (await graphOn(saver).getState(thread)).tasks;
  expect(task?.interrupts.map(({ value }) => value)).toEqual(["which?"]);
  const { notes } = await answer(saver, "waiting", "this");
  expect(notes).toContain("child 2: this");
});

test("writes_that_came_before_their_checkpoint_are_imported", async () => {
  imported(stock, target);
  const saver = SqliteSaver.fromConnString(target);
  onTestFinished(() => saver.close());
  await saver.put(config("odd", checkpoint(3).id), checkpoint(9), metadata(3));
  const tuple = await saver.getTuple(config("odd"));
  expect(tuple?.pendingWrites).toEqual([["task", "a", "early"]]);
});

test("a_file_can_be_imported_into_itself", async () => {
  const tuples = await stockTuples(stock);
  imported(stock, stock, ["--verify"]);
  expect(await ownTuples(stock)).toStrictEqual(tuples);
  expect(await stockTuples(stock)).toStrictEqual(tuples);
});

test("a_dry_run_counts_the_same_and_makes_no_file", () => {
  const dry = imported(stock, target, ["--dry-run"]);
  expect(existsSync(target)).toBe(false);
  const { dryRun: _, ...counted } = dry;
  const { dryRun: __, ...done } = imported(stock, target);
  expect(counted).toEqual(done);
});

test("a_thread_that_went_on_in_the_source_is_completed", async () => {
  imported(stock, target);
  const { SqliteSaver: StockSaver } = await import("@langchain/langgraph-checkpoint-sqlite");
  const saver = StockSaver.fromConnString(stock);
  await answer(saver, "waiting", "this");
  saver.db.close();
  const { threads } = imported(stock, target, ["--verify"]);
  expect(threads).toEqual({ found: 3, imported: 1, present: 2, conflicting: 0 });
  expect(await ownTuples(target)).toStrictEqual(await stockTuples(stock));
});

test("a_thread_that_went_on_in_the_target_stays_as_it_is", async () => {
  imported(stock, target);
  const saver = SqliteSaver.fromConnString(target);
  await answer(saver, "waiting", "this");
  saver.close();
  const tuples = await ownTuples(target);
  expect(imported(stock, target).threads.present).toBe(3);
  expect(await ownTuples(target)).toStrictEqual(tuples);
});

test("another_thread_of_the_same_id_is_left_alone", async () => {
  const saver = SqliteSaver.fromConnString(target);
  await saver.put(config("idle"), checkpoint(1, { a: 1 }), metadata(1));
  saver.close();
  const { threads, problems } = imported(stock, target, [], 1);
  expect(threads).toEqual({ found: 3, imported: 2, present: 0, conflicting: 1 });
  expect(problems).toMatchObject([{ code: "conflicting-thread", count: 1, threads: ["idle"] }]);
  const idle = (await ownTuples(target)).filter(({ config }) => {
    return config.configurable?.thread_id === "idle";
  });
  expect(idle.length).toBe(1);
});

test("what_cannot_be_read_is_named_and_the_rest_is_imported", async () => {
  const db = new Database(stock);
  const set = "UPDATE checkpoints SET checkpoint = ?, type = ? WHERE checkpoint_id = ?";
  db.prepare(set).run(Buffer.from("secret"), "msgpack+aes", checkpoint(1).id);
  db.prepare(set).run(Buffer.from("{"), "json", checkpoint(2).id);
  db.close();
  const { problems, stored } = imported(stock, target, ["--verify"], 1);
  expect(problems).toMatchObject([
    { code: "encrypted-stock-checkpoint", count: 1, threads: ["odd"] },
    { code: "unreadable-stock-checkpoint", count: 1, threads: ["odd"] },
    { code: "different-checkpoint", count: 2 },
  ]);
  expect(JSON.stringify(problems)).not.toContain("secret");
  const own = await ownTuples(target);
  expect(own.length).toBe(stored.checkpoints);
});

test("a_thread_whose_id_no_store_accepts_is_named", () => {
  const db = new Database(stock);
  db.prepare("UPDATE writes SET thread_id = ? WHERE thread_id = 'idle'").run("x".repeat(2000));
  db.close();
  const { problems } = imported(stock, target, [], 1);
  expect(problems).toMatchObject([{ code: "oversized-id", count: 1 }]);
});

test("a_wrong_command_line_or_source_says_so", () => {
  const usage = run("import", stock);
  expect(usage.status).toBe(2);
  expect(usage.stderr).toContain("try: langgraph-checkpoint-wasm import --help");
  expect(run("import", stock, target, "--nonsense").status).toBe(2);
  const missing = run("import", join(folder, "none.db"), target);
  expect([missing.status, missing.stderr]).toEqual([3, expect.stringMatching(/^storage-unre/)]);
  expect(existsSync(target)).toBe(false);
  const other = join(folder, "other.db");
  new Database(other).exec("CREATE TABLE checkpoints (id)").close();
  const none = run("import", other, target);
  expect([none.status, none.stderr]).toEqual([3, expect.stringMatching(/^no-stock-tables: /)]);
  writeFileSync(other, "no database, but text that is longer than a header of SQLite would be");
  expect(run("import", other, target).status).toBe(3);
});

test("the_report_is_for_people_without_json", () => {
  const { stdout, status } = run("import", stock, target, "--verify");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^3 threads: 3 imported, 0 there already, 0 left alone\n/);
  expect(stdout).toMatch(/\n\d+ checkpoints compared, 0 differ\n$/);
});
