// An import that ends anywhere and is run again ends as one that was not interrupted.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

import { Report } from "../../../src/entries/cli/report.js";
import { openSource } from "../../../src/entries/cli/source.js";
import { Threads } from "../../../src/entries/cli/takeover.js";
import { openTarget, Target } from "../../../src/entries/cli/target.js";
import { rowsIn } from "../../support/rows.js";
import { temporaryFolder } from "../../support/temporary.js";
import { imported, PROGRAM } from "./program.js";
import { makeStock, ownTuples, stockTuples } from "./stock.js";

class Cut extends Error {}

/** Imports in this process, up to the call with this number. Returns how many calls it made. */
async function importUpTo(source: string, target: string, last: number): Promise<number> {
  const [from, to] = [await openSource(source, "public"), await openTarget(target, "public")];
  let calls = 0;
  const store = Target.prototype.store.bind(to);
  to.store = async (...args) => {
    if (calls === last) throw new Cut();
    calls += 1;
    return store(...args);
  };
  try {
    const threads = await Threads.of(from, new Report());
    await threads.store(await threads.ids(), to, () => {});
  } catch (thrown) {
    if (!(thrown instanceof Cut)) throw thrown;
  } finally {
    await to.close();
    await from.close();
  }
  return calls;
}

/** The stored rows but for the keys of threads. */
function rowsOf(path: string): unknown {
  const db = new Database(path);
  try {
    return rowsIn(db);
  } finally {
    db.close();
  }
}

test("an_import_that_ends_after_any_call_is_completed_by_the_next", async () => {
  const folder = temporaryFolder();
  const stock = join(folder, "stock.db");
  await makeStock(stock);
  const whole = join(folder, "whole.db");
  const calls = await importUpTo(stock, whole, Number.POSITIVE_INFINITY);
  expect(calls).toBeGreaterThan(30);
  for (let last = 0; last <= calls; last += 1) {
    const target = join(folder, `cut-${last}.db`);
    await importUpTo(stock, target, last);
    await importUpTo(stock, target, Number.POSITIVE_INFINITY);
    expect(rowsOf(target), `after ${last} calls`).toEqual(rowsOf(whole));
  }
});

test("a_killed_import_is_completed_by_the_next", async () => {
  const folder = temporaryFolder();
  const [stock, target] = [join(folder, "stock.db"), join(folder, "checkpoints.db")];
  await makeStock(stock);
  const db = new Database(stock);
  const copy = (table: string, columns: string) => {
    db.exec(
      "WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 100) " +
        `INSERT INTO ${table} SELECT n.at || '-' || thread_id, ${columns} FROM n, ${table}`,
    );
  };
  const of = "checkpoint_ns, checkpoint_id";
  copy("checkpoints", `${of}, parent_checkpoint_id, type, checkpoint, metadata`);
  copy("writes", `${of}, task_id, idx, channel, type, value`);
  db.close();

  const program = spawn(process.execPath, [PROGRAM, "import", stock, target]);
  const size = () => statSync(`${target}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  while (size() < 2_000_000 && program.exitCode === null) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  program.kill("SIGKILL");
  await once(program, "exit");
  expect(program.signalCode).toBe("SIGKILL");

  const { threads } = imported(stock, target, ["--verify"]);
  expect(threads.found).toBe(303);
  expect(threads.present).toBeGreaterThan(0);
  expect(threads.imported).toBeGreaterThan(0);
  expect(await ownTuples(target)).toStrictEqual(await stockTuples(stock));
});
