import { StorageError } from "../errors.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "../planner/adapter.js";
import type { Eventually } from "../platform/maybe-promise.js";

/** A batch with more bytes than this has the calls of one put or of one task. */
const BYTES_MAX = 1_000_000;

interface Job {
  readonly call: StoredCall;
  resolve(): void;
  reject(failure: unknown): void;
}

/**
 * Runs calls of a thread in order. Neighbours that write share a batch, and so a transaction and a
 * request.
 *
 * Only the last of such a batch may go on after it, so that no call overtakes another.
 */
export class JoinedCalls {
  readonly #storage: StorageAdapter;
  readonly #setup: () => Eventually<void>;
  readonly #jobs: Job[] = [];
  /** The calls added after `run`, one after the other. Undefined before it has ended. */
  #later: Promise<void> | undefined;

  /**
   * @param storage Runs the batches.
   * @param setup Makes the tables if they are missing. Called before a batch is run.
   */
  constructor(storage: StorageAdapter, setup: () => Eventually<void>) {
    this.#storage = storage;
    this.#setup = setup;
  }

  /** Adds a call that waits for `run`. The promise settles when it has ended. */
  add(call: StoredCall): Promise<void> {
    if (this.#later !== undefined) {
      // Repeated after the planner failed.
      const ended = this.#later.then(() => this.#runAlone(call));
      this.#later = ended.catch(() => {});
      return ended;
    }
    return new Promise((resolve, reject) => {
      this.#jobs.push({ call, resolve, reject });
    });
  }

  /** Runs the calls. Never rejects: what fails is told to the callers of `add`. */
  async run(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#next();
      try {
        await this.#runJoined(jobs);
      } catch (thrown) {
        for (const job of jobs) job.reject(thrown);
      }
    }
    this.#later = Promise.resolve();
  }

  /** Takes the first call, and those after it that may share its batch. */
  #next(): Job[] {
    let bytes = 0;
    const end = this.#jobs.findIndex(({ call }) => {
      bytes += bytesOf(batchOf(call));
      return !writesAndEnds(call) || bytes > BYTES_MAX;
    });
    const last = this.#jobs[end];
    if (last === undefined) return this.#jobs.splice(0);
    const isTaken = end === 0 || (writes(last.call) && bytes <= BYTES_MAX);
    return this.#jobs.splice(0, isTaken ? end + 1 : end);
  }

  async #runJoined(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 1) return this.#runApart(jobs);
    const statements = jobs.flatMap(({ call }) => call.batch?.statements ?? []);
    let rowSets: RowSet[];
    try {
      await this.#setup();
      rowSets = await this.#storage.run({ access: "write", statements });
    } catch (thrown) {
      if (!isOfOne(thrown)) throw thrown;
      return this.#runApart(jobs);
    }
    let begin = 0;
    for (const job of jobs) {
      const end = begin + (job.call.batch?.statements.length ?? 0);
      const own = rowSets.slice(begin, end);
      begin = end;
      await settle(job, async () => {
        job.call.answer(own);
        await this.#runAlone(job.call);
      });
    }
  }

  async #runApart(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) await settle(job, () => this.#runAlone(job.call));
  }

  /** Runs a call to its end. */
  async #runAlone(call: StoredCall): Promise<void> {
    for (let { batch } = call; batch !== undefined; { batch } = call) {
      await this.#setup();
      call.answer(await this.#storage.run(batch));
    }
  }
}

/**
 * Whether one call may have made its batch fail, so that only that one shall. Other failures are
 * the store's, and every call would meet them again, one after the other.
 */
function isOfOne(thrown: unknown): boolean {
  if (!(thrown instanceof StorageError) || thrown.stored !== "nothing") return false;
  return ["storage-damaged", "storage-failed", "storage-too-large"].includes(thrown.code);
}

/** Whether a call's batch writes and certainly ends it, whatever the answer. */
function writesAndEnds(call: StoredCall): boolean {
  return writes(call) && call.endsWith([]);
}

function writes(call: StoredCall): boolean {
  return batchOf(call)?.access === "write";
}

function batchOf(call: StoredCall): Batch | undefined {
  try {
    return call.batch;
  } catch {
    // The call fails when it is run.
    return undefined;
  }
}

/** About how many bytes a batch binds. */
function bytesOf(batch: Batch | undefined): number {
  let bytes = 0;
  for (const value of batch?.statements.flatMap(({ parameters }) => parameters.flat()) ?? []) {
    if (typeof value === "string" || value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}

async function settle(job: Job, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    job.resolve();
  } catch (thrown) {
    job.reject(thrown);
  }
}
