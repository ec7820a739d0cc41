// Threads of this package, exported to LangGraph's own SqliteSaver by the program.

import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Annotation, Command, END, interrupt, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { exported, imported, run } from "../import/program.js";
import { answer, graphOn, hashOf, makeStock, ownTuples, stockTuples } from "../import/stock.js";

const FIXTURES = fileURLToPath(new URL("../../../../tests/fixtures/stock/", import.meta.url));

let folder: string;
let stock: string;
let own: string;
let target: string;

beforeEach(async () => {
  folder = temporaryFolder();
  [stock, own, target] = ["stock.db", "own.db", "target.db"].map((name) => {
    return join(folder, name);
  }) as [string, string, string];
  await makeStock(stock);
  imported(stock, own);
});

/** The rows of stock tables, without what two versions of a saver write differently. */
function rowsOf(path: string, order = "1, 2, 3, 4, 5") {
  const db = new Database(path, { readonly: true });
  const all = (table: string, by: string) => {
    return db.prepare(`SELECT * FROM ${table} ORDER BY ${by}`).all();
  };
  const rows = [all("checkpoints", "1, 2, 3"), all("writes", order)];
  db.close();
  return rows;
}

test("what_is_exported_reads_in_the_stock_saver_as_what_was_imported", async () => {
  const report = exported(own, target);
  const tuples = await stockTuples(stock);
  expect(report.threads).toEqual({ found: 3, exported: 3, present: 0, conflicting: 0 });
  expect(report.stored.checkpoints).toBe(tuples.length);
  expect([report.notes, report.problems]).toEqual([[], []]);
  expect(await stockTuples(target)).toStrictEqual(tuples);
});

test("every_write_keeps_its_place_and_its_bytes", () => {
  exported(own, target);
  const [, writes] = rowsOf(stock);
  expect(rowsOf(target)[1]).toEqual(writes);
});

test.each(["javascript-0.1.5", "javascript-1.0.1"])("threads_of_%s_are_the_same", async (name) => {
  copyFileSync(join(FIXTURES, `${name}.sqlite`), stock);
  const [moved, back] = [join(folder, "moved.db"), join(folder, "back.db")];
  imported(stock, moved);
  expect(exported(moved, back).problems).toEqual([]);
  expect(await stockTuples(back)).toStrictEqual(await stockTuples(stock));
});

test("an_interrupted_thread_goes_on_in_langgraphs_own_saver", async () => {
  exported(own, target);
  const saver = StockSaver.fromConnString(target);
  onTestFinished(() => {
    saver.db.close();
  });
  const thread = { configurable: { thread_id: "waiting" } };
  const [task] = (await graphOn(saver).getState(thread)).tasks;
  expect(task?.interrupts.map(({ value }) => value)).toEqual(["which?"]);
  const { notes } = await answer(saver, "waiting", "this");
  expect(notes).toContain("child 2: this");
});

test("a_second_export_changes_nothing_and_the_source_stays", () => {
  const before = hashOf(own);
  exported(own, target);
  const rows = rowsOf(target);
  const { threads, stored } = exported(own, target);
  expect(threads).toEqual({ found: 3, exported: 0, present: 3, conflicting: 0 });
  expect(stored).toEqual({ checkpoints: 0, writes: 0 });
  expect(rowsOf(target)).toEqual(rows);
  expect(hashOf(own)).toBe(before);
});

test("an_export_that_was_interrupted_anywhere_is_completed_by_the_next", () => {
  exported(own, target);
  const whole = rowsOf(target);
  for (const keep of [0, 1, 5, 11]) {
    const db = new Database(target);
    db.exec(`DELETE FROM checkpoints WHERE rowid > ${keep}`);
    db.exec(`DELETE FROM writes WHERE rowid > ${2 * keep}`);
    db.close();
    expect(exported(own, target).threads.conflicting).toBe(0);
    expect(rowsOf(target), `after ${keep} checkpoints`).toEqual(whole);
  }
});

test("a_thread_that_went_on_in_the_target_stays_as_it_is", async () => {
  exported(own, target);
  const saver = StockSaver.fromConnString(target);
  await answer(saver, "waiting", "this");
  saver.db.close();
  const rows = rowsOf(target);
  expect(exported(own, target).threads.present).toBe(3);
  expect(rowsOf(target)).toEqual(rows);
});

test("a_thread_that_went_on_in_the_source_is_completed", async () => {
  exported(own, target);
  const saver = SqliteSaver.fromConnString(own);
  await answer(saver, "waiting", "this");
  saver.close();
  const { threads } = exported(own, target);
  expect(threads).toEqual({ found: 3, exported: 1, present: 2, conflicting: 0 });
  expect(await stockTuples(target)).toStrictEqual(await ownTuples(own));
});

test("a_thread_that_was_asked_twice_in_a_node_is_completed_once_it_went_on", async () => {
  const saver = SqliteSaver.fromConnString(own);
  const asking = new StateGraph(Annotation.Root({ said: Annotation<string> }))
    .addNode("ask", () => ({ said: `${interrupt("one?")} ${interrupt("two?")}` }))
    .addEdge(START, "ask")
    .addEdge("ask", END)
    .compile({ checkpointer: saver });
  const thread = { configurable: { thread_id: "asked" } };
  await asking.invoke({ said: "" }, thread);
  exported(own, target);
  await asking.invoke(new Command({ resume: "A" }), thread);
  expect(exported(own, target, [], 1).problems).toMatchObject([{ threads: ["asked"] }]);
  await asking.invoke(new Command({ resume: "B" }), thread);
  saver.close();
  expect(exported(own, target).threads).toMatchObject({ exported: 1, conflicting: 0 });
  const stock = StockSaver.fromConnString(target);
  onTestFinished(() => {
    stock.db.close();
  });
  expect((await stock.get(thread))?.channel_values).toMatchObject({ said: "A B" });
  expect(exported(own, target).threads).toMatchObject({ exported: 0, conflicting: 0 });
});

test("another_thread_of_the_same_id_is_left_alone", async () => {
  const saver = StockSaver.fromConnString(target);
  await saver.put(config("idle"), checkpoint(1, { a: 1 }), metadata(1));
  saver.db.close();
  const { threads, problems } = exported(own, target, [], 1);
  expect(threads).toEqual({ found: 3, exported: 2, present: 0, conflicting: 1 });
  expect(problems).toMatchObject([{ code: "conflicting-thread", count: 1, threads: ["idle"] }]);
  const idle = (await stockTuples(target)).filter(({ config }) => {
    return config.configurable?.thread_id === "idle";
  });
  expect(idle.length).toBe(1);
});

test("a_thread_that_both_have_carried_on_is_left_alone", async () => {
  exported(own, target);
  const saver = StockSaver.fromConnString(target);
  await answer(saver, "waiting", "this");
  saver.db.close();
  const ours = SqliteSaver.fromConnString(own);
  await answer(ours, "waiting", "that");
  ours.close();
  const rows = rowsOf(target);
  expect(exported(own, target, [], 1).threads.conflicting).toBe(1);
  expect(rowsOf(target)).toEqual(rows);
});

test("values_that_only_python_reads_are_named_and_left_out", () => {
  copyFileSync(join(FIXTURES, "python-3.0.3.sqlite"), stock);
  const moved = join(folder, "moved.db");
  imported(stock, moved);
  const { problems, stored } = exported(moved, target, [], 1);
  expect(stored).toEqual({ checkpoints: 0, writes: 0 });
  expect(problems).toMatchObject([
    { code: "unfit-checkpoint", count: 15 },
    { code: "unfit-write", count: 44 },
  ]);
  expect(
    exported(own, join(folder, "python.db"), ["--layout", "python"], 1).problems,
  ).toMatchObject([{ code: "unfit-checkpoint" }, { code: "unfit-write" }]);
});

test("threads_can_be_named_and_one_that_is_missing_is_a_problem", () => {
  const named = ["--thread", "idle", "--thread", "nobody", "--thread", "idle"];
  const { threads, problems } = exported(own, target, named, 1);
  expect(threads).toMatchObject({ found: 2, exported: 1 });
  expect(problems).toMatchObject([{ code: "missing-thread", threads: ["nobody"] }]);
  const [checkpoints] = rowsOf(target);
  const ids = checkpoints?.map((row) => (row as { thread_id: string }).thread_id);
  expect(new Set(ids)).toEqual(new Set(["idle"]));
});

test("tables_of_another_language_are_not_written_to", () => {
  exported(own, target, ["--layout", "python"], 1);
  const rows = rowsOf(target);
  const { status, stderr } = run("export", own, target);
  expect([status, stderr]).toEqual([3, expect.stringMatching(/^other-stock-tables: /)]);
  expect(rowsOf(target)).toEqual(rows);
});

test("a_damaged_thread_is_named_and_the_others_are_exported", async () => {
  const db = new Database(own);
  db.exec(
    "UPDATE lg_records SET envelope = x'91' WHERE thread_key = " +
      "(SELECT thread_key FROM lg_threads WHERE thread_id = 'idle') AND task_id = ''",
  );
  db.close();
  const { problems } = exported(own, target, [], 1);
  expect(problems).toMatchObject([{ code: "damaged-envelope", threads: ["idle"] }]);
  const expected = (await stockTuples(stock)).filter(({ config }) => {
    return config.configurable?.thread_id !== "idle";
  });
  expect(await stockTuples(target)).toStrictEqual(expected);
});

test("a_wrong_command_line_or_source_says_so", () => {
  expect(run("export", own).status).toBe(2);
  expect(run("export", own, target, "--layout", "cobol").status).toBe(2);
  expect(run("export", own, "-").status).toBe(2);
  expect(run("export", join(folder, "none.db"), target).status).toBe(3);
  expect(run("export", stock, target).status).toBe(2);
  expect(existsSync(target)).toBe(false);
});
