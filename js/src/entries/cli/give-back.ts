// Stores threads in the tables of LangGraph's own savers, one after the other.

import type { Exported } from "../../planner/contract.js";
import type { NewStockRows } from "../../planner/takeover.js";
import type { ExportReport } from "./export-report.js";
import type { StockTables } from "./stock-tables.js";
import type { StoredThreads } from "./stored.js";

/** Stores what is stored of a thread, unless the target has something else under its id. */
export async function giveBack(
  threads: StoredThreads,
  id: string,
  target: StockTables,
  report: ExportReport,
): Promise<void> {
  const [checkpoints, writes] = await target.stored(id);
  const isNew = checkpoints === 0 && writes === 0;
  switch (isNew ? "missing" : await stateOf(threads, id, target, checkpoints, report)) {
    case "present":
      report.threads.present += 1;
      return;
    case "conflicting":
      report.threads.conflicting += 1;
      report.problem(
        id,
        "conflicting-thread",
        "the target has something else under the thread's id, and it was left alone; delete it " +
          "there, or copy the thread to another id, and export again",
      );
      return;
    case "missing":
      report.threads.exported += 1;
  }
  for await (const exported of threads.checkpoints(id)) {
    const rows = target.rows(exported);
    tell(report, id, rows);
    if (await target.storeValues(rows)) {
      await target.store(rows);
      report.stored.checkpoints += rows.checkpoint === undefined ? 0 : 1;
    } else {
      await target.store({ ...rows, checkpoint: undefined });
      report.problem(id, "shared-by-forks", sharedValue(exported));
    }
    report.stored.writes += rows.writes.length;
  }
}

/**
 * What the target has of a thread of which it has something. It is the same thread if all the
 * checkpoints that both have are the same, and the writes of the newest ones. If it went on in the
 * target, the target has everything.
 */
async function stateOf(
  threads: StoredThreads,
  id: string,
  target: StockTables,
  stored: number,
  report: ExportReport,
): Promise<"missing" | "present" | "conflicting"> {
  const found = { same: 0, missing: 0, different: 0 };
  const writes = { missing: 0, different: 0 };
  // Different writes of the newest checkpoint of a namespace. An older one may have what was asked
  // before: a task that asks again replaces its question.
  let newest = { namespace: "", different: 0 };
  const told: NewStockRows[] = [];
  for await (const exported of threads.checkpoints(id)) {
    const rows = target.rows(exported);
    told.push({ ...rows, checkpoint: undefined, values: [], writes: [] });
    const own = await target.compareCheckpoint(rows);
    const beside = await target.compareWrites(rows);
    for (const key of ["same", "missing", "different"] as const) found[key] += own[key];
    writes.missing += beside.missing;
    const { checkpointNs: namespace, checkpoint } = exported;
    if (newest.namespace !== namespace) {
      writes.different += newest.different;
      newest = { namespace, different: beside.different };
    } else {
      const before = checkpoint === undefined ? newest.different : 0;
      newest = { namespace, different: before + beside.different };
    }
  }
  writes.different += newest.different;
  const wentOn = stored > found.same;
  if (found.different > 0 || (found.same === 0 && stored > 0)) return "conflicting";
  if (found.missing === 0 && (wentOn || writes.missing + writes.different === 0)) {
    for (const rows of told) tell(report, id, rows);
    return "present";
  }
  return wentOn || writes.different > 0 ? "conflicting" : "missing";
}

function tell(report: ExportReport, id: string, { notes, problems }: NewStockRows): void {
  for (const { code, message } of notes) report.note(id, code, message);
  for (const { code, message } of problems) report.problem(id, code, message);
}

function sharedValue({ checkpointId }: Exported): string {
  return (
    `checkpoint ${checkpointId} has another value than a fork of it at one channel and version, ` +
    "and savers for PostgreSQL have room for one; it was left out"
  );
}
