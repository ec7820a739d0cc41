// Takes the threads of a source over, one after the other.

import { CheckpointerError, CorruptError, InvalidInputError } from "../../errors.js";
import type { SqlParameter, SqlValue } from "../../planner/adapter.js";
import type { CheckpointTuple } from "../../planner/contract.js";
import {
  type Address,
  type StockStatements,
  type Takeover,
  TakeoverPlanner,
} from "../../planner/takeover.js";
import { ownCore } from "../../stores/postgres/core.js";
import { differenceOf, hasOtherWrites } from "./compare.js";
import type { Report } from "./report.js";
import type { Source } from "./source.js";
import type { Target } from "./target.js";

/** Called after each thread. */
export type OnProgress = (done: number, report: Report) => void;

/** The threads of a source, and what is found on the way. */
export class Threads {
  readonly #source: Source;
  readonly #planner: TakeoverPlanner;
  readonly #statements: StockStatements;
  readonly #report: Report;

  private constructor(
    source: Source,
    planner: TakeoverPlanner,
    statements: StockStatements,
    report: Report,
  ) {
    this.#source = source;
    this.#planner = planner;
    this.#statements = statements;
    this.#report = report;
  }

  /** Finds the stock tables of a source. Throws `no-stock-tables`. */
  static async of(source: Source, report: Report): Promise<Threads> {
    const planner = new TakeoverPlanner(ownCore(), source.dialect);
    const [tables = []] = await source.read([planner.findTables()]);
    return new Threads(source, planner, planner.statements(tables), report);
  }

  /** The ids of the threads. */
  async ids(): Promise<string[]> {
    const ids = (await this.#read(this.#statements.threads, [])).flat();
    const texts = ids.filter((id) => typeof id === "string");
    // SQLite keeps bytes in a column of texts, too.
    const message = "a thread's id is not text, so no saver finds the thread; it is not imported";
    if (texts.length < ids.length) this.#report.problem("", "unreadable-stock-id", message);
    return texts;
  }

  /** Stores every thread that the target lacks, or has in part. */
  async store(ids: readonly string[], target: Target, onProgress: OnProgress): Promise<void> {
    for (const [index, id] of ids.entries()) {
      await this.#unlessRefused(id, () => this.#storeThread(id, target));
      onProgress(index + 1, this.#report);
    }
  }

  /** Reads every checkpoint again, from the target too, and compares their bytes. */
  async verify(ids: readonly string[], target: Target, onProgress: OnProgress): Promise<void> {
    const { verified } = this.#report;
    for (const [index, id] of ids.entries()) {
      for (const address of await this.#checkpointsOf(id)) {
        const takeover = await this.#takeover(address, false);
        // Writes without a checkpoint are found once that is stored.
        if (takeover !== undefined && takeover.calls.at(-1)?.tag !== "put") continue;
        verified.checkpoints += 1;
        await this.#unlessRefused(id, async () => {
          const what = differing(takeover, await readIfStored(target, address));
          if (what === undefined) return;
          verified.different += 1;
          const message = `checkpoint ${address[2]} differs in the target: ${what}`;
          this.#report.problem(id, "different-checkpoint", message);
        });
      }
      onProgress(index + 1, this.#report);
    }
  }

  async #storeThread(id: string, target: Target): Promise<void> {
    const { threads } = this.#report;
    const addresses = await this.#checkpointsOf(id);
    switch (await this.#stateOf(id, addresses, target)) {
      case "present":
        threads.present += 1;
        return;
      case "conflicting":
        threads.conflicting += 1;
        this.#report.problem(
          id,
          "conflicting-thread",
          "the target has something else under the thread's id, and it was left alone; delete " +
            "the thread there, or import into another database",
        );
        return;
      case "missing":
        threads.imported += 1;
    }
    await this.#noteShared(id);
    let namespace: string | undefined;
    let known: Uint8Array | undefined;
    for (const address of addresses) {
      const takeover = await this.#takeover(address);
      if (takeover === undefined) continue;
      if (address[1] !== namespace) [namespace, known] = [address[1], undefined];
      await this.#unlessRefused(id, async () => {
        for (const call of takeover.calls) known = await target.store(call, known);
        this.#count(takeover);
      });
    }
  }

  /**
   * Runs what concerns one thread or checkpoint. If that is what failed, reports it: an id or a
   * value that no store accepts, or something damaged in the target. Another failure would meet all
   * threads.
   */
  async #unlessRefused(id: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (thrown) {
      const isOfOne = thrown instanceof InvalidInputError || thrown instanceof CorruptError;
      if (!isOfOne) throw thrown;
      this.#report.problem(id, thrown.code, thrown.message);
    }
  }

  /**
   * What the target has of a thread. Its last checkpoint is stored last: if that is there, so is
   * all that the source had then. If others are there, an import was interrupted, or the source
   * went on: what is missing is stored, and the rest again. That would replace writes of a thread
   * that went on in the target, so it is left alone.
   */
  async #stateOf(
    id: string,
    addresses: readonly Address[],
    target: Target,
  ): Promise<"missing" | "present" | "conflicting"> {
    const newest = await target.newest(id);
    const last = addresses.at(-1);
    if (newest === undefined || last === undefined) return "missing";
    const { checkpointNs, checkpointId } = newest;
    const wentOn = await this.#hasNewer(addresses, checkpointId);
    const stored = await readIfStored(target, last);
    const takeover = await this.#takeover(last, false);
    if (stored !== undefined && takeover !== undefined) {
      const what = differenceOf(takeover.calls, stored);
      if (what === undefined && !wentOn) return "present";
      const isOfTarget = !wentOn && hasOtherWrites(takeover.calls, stored);
      if (isOfTarget || (what !== undefined && what !== "pending writes")) return "conflicting";
    }
    const isOurs = addresses.some(([, ns, id]) => ns === checkpointNs && id === checkpointId);
    return isOurs ? "missing" : "conflicting";
  }

  /** Whether the source has a checkpoint that is newer than one with this id, in any namespace. */
  async #hasNewer(addresses: readonly Address[], checkpointId: string): Promise<boolean> {
    for (const address of addresses) {
      if (address[2] <= checkpointId) continue;
      // Writes without a checkpoint have an address too.
      const takeover = await this.#takeover(address, false);
      if (takeover?.calls.at(-1)?.tag === "put") return true;
    }
    return false;
  }

  async #checkpointsOf(id: string): Promise<Address[]> {
    const found = await this.#read(this.#statements.checkpoints, [id]);
    return found.map(([ns, checkpointId]) => [id, String(ns), String(checkpointId)]);
  }

  /** What is stored of a checkpoint, as calls. If that cannot be read: undefined, and a problem. */
  async #takeover(address: Address, reports = true): Promise<Takeover | undefined> {
    const texts = this.#statements.checkpoint;
    const rows = await this.#source.read(texts.map((text) => ({ text, parameters: [address] })));
    try {
      const takeover = this.#planner.takeover(address, rows);
      if (reports) {
        this.#report.bytesRead += bytesOf(rows);
        const { notes } = takeover;
        for (const { code, message } of notes) this.#report.note(address[0], code, message);
      }
      return takeover;
    } catch (thrown) {
      if (!(thrown instanceof CheckpointerError)) throw thrown;
      if (reports) this.#report.problem(address[0], thrown.code, thrown.message);
      return undefined;
    }
  }

  async #noteShared(id: string): Promise<void> {
    const { shared } = this.#statements;
    if (shared === undefined) return;
    const notes = this.#planner.sharedByForks(await this.#read(shared, [id]));
    for (const { code, message } of notes) this.#report.note(id, code, message);
  }

  #count({ calls }: Takeover): void {
    const { stored } = this.#report;
    for (const call of calls) {
      if (call.tag === "put") stored.checkpoints += 1;
      else stored.tasks += 1;
    }
  }

  async #read(text: string, parameters: readonly SqlParameter[]) {
    const [rows = []] = await this.#source.read([{ text, parameters: [parameters] }]);
    return rows;
  }
}

/** What a target has of a checkpoint; undefined also for ids that no target has. */
async function readIfStored(
  target: Target,
  address: Address,
): Promise<CheckpointTuple | undefined> {
  try {
    return await target.read(address);
  } catch (thrown) {
    if (thrown instanceof InvalidInputError) return undefined;
    throw thrown;
  }
}

function differing(
  takeover: Takeover | undefined,
  stored: CheckpointTuple | undefined,
): string | undefined {
  if (takeover === undefined) return "the source cannot be read";
  return stored === undefined ? "it is missing" : differenceOf(takeover.calls, stored);
}

function bytesOf(sets: readonly (readonly (readonly SqlValue[])[])[]): number {
  const sizes = sets.flat(2).map((value) => (value instanceof Uint8Array ? value.length : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}
