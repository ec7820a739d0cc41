// What waits in write-behind when the process ends.

import type { Waiting } from "../../planner/contract.js";

/** A store that may have rows that wait. */
export interface Unsent {
  /** Sends what waits, unless that was tried in vain. */
  sendBeforeExit(): void;
  /** What is lost if the process ends. */
  unsent(): Waiting;
  warnAtExit(message: string): void;
}

type Process = Pick<NodeJS.Process, "off" | "on">;

/** Those that have some; without them nothing listens. */
const stores = new Set<Unsent>();

/** Notes whether rows of a store wait. */
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
