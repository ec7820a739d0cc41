// Fake timers, installed after the package is loaded, as applications' tests do.

import { mock } from "node:test";

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";

import { checkpoint, config, idOf, ids, metadata } from "./checkpoints.js";

const realTurn = setImmediate;

/** Installers of fakes. Faked timers never fire by themselves. */
export const FAKES: Record<string, () => void> = {
  "Vitest and Sinon": () => {
    vi.useFakeTimers({
      now: 0,
      // If `nextTick` were faked, Node.js's own streams would stop.
      toFake: [
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
        "setImmediate",
        "clearImmediate",
        "Date",
        "performance",
        "hrtime",
      ],
    });
    onTestFinished(() => {
      vi.useRealTimers();
    });
  },
  "node:test": () => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"], now: 0 });
    onTestFinished(() => mock.timers.reset());
  },
};

/** Resolves a few turns of the event loop later, even if timers are faked. */
export async function turnsLater(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => realTurn(resolve));
}

/** Makes every kind of call. Each must settle. */
export async function expectCallsToSettle(saver: BaseCheckpointSaver): Promise<void> {
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  await saver.putWrites(config("t", idOf(1)), [["a", 2]], "task");
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toEqual({ a: 1 });
  expect(tuple?.pendingWrites).toEqual([["task", "a", 2]]);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(1)]);
  await saver.deleteThread("t");
  expect(await saver.getTuple(config("t"))).toBeUndefined();
}

/** A SQLite saver, with its driver's method to run a statement. */
interface OnSqlite extends BaseCheckpointSaver {
  readonly db: { exec(text: string): unknown };
  close(): void;
}

/** Waits for a lock that is released, and for one that is not. */
export async function expectLocksToBeWaitedFor(
  open: (options?: { busyDeadlineMs: number }) => OnSqlite,
): Promise<void> {
  const [other, patient, hurried] = [open(), open(), open({ busyDeadlineMs: 20 })];
  onTestFinished(() => {
    for (const saver of [other, patient, hurried]) saver.close();
  });
  await other.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  other.db.exec("BEGIN IMMEDIATE");
  const refused = hurried.putWrites(config("t", idOf(1)), [["a", 2]], "late");
  const stored = patient.putWrites(config("t", idOf(1)), [["a", 3]], "task");
  await expect(refused).rejects.toMatchObject({ code: "storage-busy", stored: "nothing" });
  await turnsLater();
  other.db.exec("ROLLBACK");
  await stored;
  const tuple = await patient.getTuple(config("t"));
  expect(tuple?.pendingWrites).toEqual([["task", "a", 3]]);
}
