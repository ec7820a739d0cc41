import { ProtocolError } from "../errors.js";
import { timers } from "../timers.js";
import type { Batch, RowSet, StorageAdapter } from "./adapter.js";
import { type Connection, configure, type Synchronous } from "./connection.js";
import { failureOf, isBusy, storageError } from "./failure.js";
import { type Committed, LogSync } from "./log-sync.js";
import { type Answer, runApart, runRead, runTogether } from "./transaction.js";

/** How many batches share a transaction. */
const GROUP_MAX = 256;
/** The longest pause between two attempts to get a lock; the first is the shortest. */
const PAUSE_MAX_MS = 16;

/** How a database is used. */
export interface QueueOptions {
  /** When a commit waits for the disk; left out, what the connection says stays. */
  readonly synchronous?: Synchronous | undefined;
  /** How long a batch waits for a lock that another connection holds. */
  readonly busyDeadlineMs: number;
}

interface Job {
  /** Nothing for one that is planned when its turn comes. */
  batch: Batch | undefined;
  readonly plan: () => Batch | undefined;
  readonly deadline: number;
  resolve(rowSets: RowSet[] | undefined): void;
  reject(failure: unknown): void;
}

/** One whose turn has come. */
type PlannedJob = Job & { readonly batch: Batch };

/**
 * The writes of one turn of the event loop share a transaction.
 *
 * Write batches wait for the end of the turn, then are planned, run in their order in one
 * transaction, and are answered after the commit: with `synchronous` FULL after the disk has it.
 * If one fails they run again, each in a savepoint of its own. A read runs at once, after the
 * writes called before it. While another connection holds the lock everything waits in line. The
 * event loop goes on during all waiting, for locks and for the disk.
 */
export class CommitQueue implements StorageAdapter {
  readonly name = "SQLite";
  /** What waits for a lock has a deadline; what does not, SQLite answers at once. */
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly #connection: Connection;
  readonly #options: QueueOptions;
  readonly #logSync: LogSync;
  #jobs: Job[] = [];
  #configured = false;
  /** Whether the turn's end, or a pause, will drain the queue. */
  #scheduled = false;
  /** How often in a row the lock was not to be had. */
  #refusals = 0;
  #joined = 0;

  constructor(connection: Connection, options: QueueOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#logSync = new LogSync(connection);
  }

  get joined(): number {
    return this.#joined;
  }

  run(batch: Batch): RowSet[] | Promise<RowSet[]> {
    if (batch.access === "read") {
      this.#drain();
      if (this.#jobs.length === 0) {
        const read = this.#attempt(() => runRead(this.#connection, batch));
        if (!("failure" in read)) return read.value;
        if (!isBusy(read.failure)) throw read.failure;
        this.#refusals += 1;
      }
    }
    return this.#enqueue(batch, () => batch) as Promise<RowSet[]>;
  }

  runLater(plan: () => Batch | undefined): Promise<RowSet[] | undefined> {
    return this.#enqueue(undefined, plan);
  }

  /** Runs what waits, once; what is still refused the lock then fails. */
  flush(): void {
    this.#drain();
    const left = this.#jobs;
    this.#jobs = [];
    for (const job of left) job.reject(storageError("storage-busy"));
    this.#logSync.flush();
  }

  #enqueue(batch: Batch | undefined, plan: Job["plan"]): Promise<RowSet[] | undefined> {
    const deadline = timers.elapsed() + this.#options.busyDeadlineMs;
    return new Promise((resolve, reject) => {
      this.#jobs.push({ batch, plan, deadline, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const wake = () => {
      this.#scheduled = false;
      this.#drain();
    };
    if (this.#refusals === 0) timers.setImmediate(wake);
    // A random share of the pause, so that two that wait do not stay in step.
    else
      timers.setTimeout(
        wake,
        Math.min(2 ** this.#refusals, PAUSE_MAX_MS) * (0.5 + Math.random() / 2),
      );
  }

  #drain(): void {
    while (this.#jobs.length > 0) {
      const group = this.#nextGroup().filter(isPlanned);
      if (group.length === 0 || this.#runJobs(group)) {
        this.#refusals = 0;
        continue;
      }
      this.#refusals += 1;
      this.#jobs = [...group, ...this.#jobs];
      this.#expire();
      if (this.#jobs.length > 0) this.#schedule();
      return;
    }
  }

  /** One read, or the writes up to the next read. */
  #nextGroup(): Job[] {
    const isRead = ({ batch }: Job) => batch?.access === "read";
    const read = this.#jobs.findIndex(isRead);
    const writes = read === -1 ? this.#jobs.length : read;
    return this.#jobs.splice(0, Math.min(Math.max(writes, 1), GROUP_MAX));
  }

  /** Answers the jobs; false when the lock was not to be had, which leaves them as they were. */
  #runJobs(group: readonly PlannedJob[]): boolean {
    const run = this.#attempt(() => this.#runBatches(group.map(({ batch }) => batch)));
    const failed = "failure" in run;
    if (failed && isBusy(run.failure)) return false;
    const settle = (unsynced?: Error) => {
      group.forEach((job, index) => {
        const answer = failed ? run : (run.value.value[index] ?? unanswered());
        if ("failure" in answer) job.reject(answer.failure);
        else if (unsynced !== undefined) job.reject(unsynced);
        else job.resolve(answer.rowSets);
      });
    };
    if (!failed && run.value.pending) this.#logSync.wait(settle);
    else settle();
    return true;
  }

  #runBatches(batches: readonly Batch[]): Committed<readonly Answer[]> {
    const [first] = batches;
    if (first?.access === "read") {
      return { value: [{ rowSets: runRead(this.#connection, first) }], pending: false };
    }
    const write = () => this.#write(batches);
    // Whoever raises the level after all has SQLite wait for the disk.
    if (this.#options.synchronous === "normal") return { value: write(), pending: false };
    return this.#logSync.commit(write);
  }

  #write(batches: readonly Batch[]): readonly Answer[] {
    const runs = this.#connection.inTransaction ? [runApart] : [runTogether, runApart];
    for (const run of runs) {
      try {
        return run(this.#connection, batches);
      } catch (thrown) {
        const failure = failureOf(this.#connection, thrown);
        if (batches.length === 1 || isBusy(failure)) throw failure;
      }
    }
    // What made the transaction fail may be one batch's doing: alone, each gets what is its own.
    return batches.flatMap((batch) => {
      const alone = this.#attempt(() => this.#write([batch]));
      return "failure" in alone ? [alone] : alone.value;
    });
  }

  #attempt<T>(run: () => T): { readonly value: T } | { readonly failure: Error } {
    try {
      if (this.#connection.inTransaction) {
        this.#joined += 1;
      } else if (!this.#configured) {
        configure(this.#connection, this.#options.synchronous);
        this.#configured = true;
      }
      return { value: run() };
    } catch (thrown) {
      return { failure: failureOf(this.#connection, thrown) };
    }
  }

  #expire(): void {
    const now = timers.elapsed();
    const expired = this.#jobs.filter(({ deadline }) => deadline <= now);
    this.#jobs = this.#jobs.filter(({ deadline }) => deadline > now);
    for (const job of expired) job.reject(storageError("storage-busy"));
    if (this.#jobs.length === 0) this.#refusals = 0;
  }
}

/** Plans a job's batch; one that turns out to have none is answered. */
function isPlanned(job: Job): job is PlannedJob {
  try {
    job.batch ??= job.plan();
    if (job.batch !== undefined) return true;
    job.resolve(undefined);
  } catch (thrown) {
    job.reject(thrown);
  }
  return false;
}

function unanswered(): Answer {
  return { failure: new ProtocolError("unanswered-batch", "a batch of a group has no answer") };
}
