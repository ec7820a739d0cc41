// Sends, or warns about, the rows that still wait in write-behind when the process ends.

import type { Waiting } from "../../planner/contract.js";

/** A store with write-behind. */
export interface Unsent {
  /** Sends the waiting rows, unless it has tried and failed since the last call. */
  sendBeforeExit(): void;
  /** What is lost if the process ends now. */
  unsent(): Waiting;
  warnAtExit(message: string): void;
}

type Process = Pick<NodeJS.Process, "off" | "on">;

/**
 * The stores that have waiting rows. While there are none, the process has no listeners of ours.
 */
const stores = new Set<Unsent>();

/** Records whether a store has waiting rows. */
export function noteUnsent(store: Unsent, waits: boolean): void {
  const { process } = globalThis as { process?: Partial<Process> };
  if (process?.on === undefined || process.off === undefined) return;
  if (waits && stores.size === 0) {
    process.on("beforeExit", beforeExit);
    process.on("exit", atExit);
  }
  if (waits) stores.add(store);
  else if (stores.delete(store) && stores.size === 0) {
    process.off("beforeExit", beforeExit);
    process.off("exit", atExit);
  }
}

function beforeExit(): void {
  for (const store of stores) store.sendBeforeExit();
}

function atExit(): void {
  for (const store of stores) {
    const { checkpoints, writes, threads } = store.unsent();
    if (threads === 0) continue;
    store.warnAtExit(
      `the process ends before write-behind has sent ${count(checkpoints, "checkpoint")} and ` +
        `${count(writes, "pending write")} of ${count(threads, "thread")}: they were ` +
        "acknowledged and are lost; await close() or flush() before the process ends",
    );
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
