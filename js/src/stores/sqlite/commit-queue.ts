import type { Synchronous } from "../../options.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "../../planner/adapter.js";
import { timers } from "../../platform/timers.js";
import { type Connection, configure } from "./connection.js";
import { DatabaseFile } from "./database-file.js";
import { failureOf, isBusy, replacedFailure, storageError } from "./failure.js";
import { runBatch, runTogether } from "./transaction.js";

/** How many calls share a transaction. */
const GROUP_MAX = 256;
/** The longest pause between two attempts to get a lock; the first is the shortest. */
const PAUSE_MAX_MS = 16;

/** How a database is used. */
export interface QueueOptions {
  /** When a commit waits for the disk; left out, what the connection says stays. */
  readonly synchronous?: Synchronous | undefined;
  /** How long a call waits for a lock that another connection holds. */
  readonly busyDeadlineMs: number;
}

/** A call that waits. */
interface Job {
  readonly call: StoredCall;
  /** Whether it was made inside a transaction of the caller's. */
  readonly isInside: boolean;
  readonly deadline: number;
  resolve(): void;
  reject(failure: unknown): void;
}

/** A job whose next batch is a write. */
interface Writing {
  readonly job: Job;
  readonly batch: Batch;
}

/** Why nothing runs. */
type Refusal = "storage-busy" | "storage-in-transaction";

/**
 * Runs calls on a connection, each whole, in their order.
 *
 * A call waits until it is due, and those that write by then share a transaction: they are planned
 * together, run in their order, and are answered after the commit. Where one fails they run again,
 * each in a transaction of its own. A call that reads runs at once, after those called before it.
 * While another connection holds the lock everything waits in line, and the event loop goes on.
 *
 * A call that is made while the caller has a transaction open on the connection runs inside of it,
 * at once. One that was made before runs outside: it waits for the transaction's end.
 */
export class CommitQueue implements StorageAdapter {
  readonly name = "SQLite";
  /** What waits for a lock has a deadline; what does not, SQLite answers at once. */
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly #connection: Connection;
  readonly #options: QueueOptions;
  #file: DatabaseFile | undefined;
  #jobs: Job[] = [];
  #configured = false;
  /** What will drain the queue. */
  readonly #scheduled = new Set<"microtask" | "turn" | "pause">();
  /** How often in a row the first call could not run, and why. */
  #refusals = 0;
  #refusal: Refusal = "storage-busy";
  #joined = 0;

  constructor(connection: Connection, options: QueueOptions) {
    this.#connection = connection;
    this.#options = options;
    try {
      this.#file = new DatabaseFile(connection);
    } catch {
      // Whatever keeps the connection from saying which file it has, the first call meets it too.
    }
  }

  get joined(): number {
    return this.#joined;
  }

  run(batch: Batch): RowSet[] | Promise<RowSet[]> {
    const call = new OneBatch(batch);
    const ended = this.runCall(call);
    return ended === undefined ? call.rowSets : ended.then(() => call.rowSets);
  }

  runCall(call: StoredCall): void | Promise<void> {
    let isInside = this.#connection.inTransaction;
    if (isInside || call.due === "now") {
      this.#drain();
      if (this.#jobs.length > 0) isInside = false;
      else if (this.#runAlone(call, isInside)) return undefined;
    }
    const deadline = timers.elapsed() + this.#options.busyDeadlineMs;
    return new Promise((resolve, reject) => {
      this.#jobs.push({ call, isInside, deadline, resolve, reject });
      this.#schedule(call.due === "turn" ? "turn" : "microtask");
    });
  }

  /** Runs what waits, once; what still cannot run then fails. */
  flush(): void {
    this.#drain();
    const left = this.#jobs;
    this.#jobs = [];
    for (const job of left) job.reject(storageError(this.#refusal));
  }

  #schedule(due: "microtask" | "turn"): void {
    const by = this.#refusals === 0 ? due : "pause";
    if (this.#scheduled.has(by)) return;
    this.#scheduled.add(by);
    const wake = () => {
      this.#scheduled.delete(by);
      this.#drain();
    };
    if (by === "microtask") timers.queueMicrotask(wake);
    else if (by === "turn") timers.setImmediate(wake);
    // A random share of the pause, so that two that wait do not stay in step.
    else timers.setTimeout(wake, this.#pauseMs() * (0.5 + Math.random() / 2));
  }

  #pauseMs(): number {
    return Math.min(2 ** this.#refusals, PAUSE_MAX_MS);
  }

  #drain(): void {
    while (this.#jobs.length > 0) {
      if (this.#runNext()) {
        this.#refusals = 0;
        continue;
      }
      this.#refusals += 1;
      this.#expire();
      if (this.#jobs.length > 0) this.#schedule("turn");
      return;
    }
  }

  /** Runs the calls that write next, or the next one; false where it cannot run yet. */
  #runNext(): boolean {
    const writings = this.#nextWritings();
    if (writings.length > 0) return this.#runWritings(writings);
    const [job] = this.#jobs;
    const batch = job && this.#batchOf(job);
    if (job === undefined || batch === undefined) return true;
    try {
      // What it goes on to write shares a transaction with what comes after it.
      if (!this.#runBatch(job.call, batch, job.isInside)) return false;
      this.#batchOf(job);
    } catch (thrown) {
      this.#fail(job, thrown);
    }
    return true;
  }

  /** The first calls as far as they write outside. One that has ended is answered. */
  #nextWritings(): Writing[] {
    const writings: Writing[] = [];
    while (writings.length < GROUP_MAX) {
      const job = this.#jobs[writings.length];
      if (job === undefined || job.isInside) break;
      const batch = this.#batchOf(job);
      if (batch?.access === "read") break;
      if (batch !== undefined) writings.push({ job, batch });
    }
    return writings;
  }

  /** The batch that a job's call asks for; at the call's end the job leaves the queue. */
  #batchOf(job: Job): Batch | undefined {
    try {
      const { batch } = job.call;
      if (batch !== undefined) return batch;
      job.resolve();
    } catch (thrown) {
      job.reject(thrown);
    }
    this.#remove(job);
    return undefined;
  }

  #remove(job: Job): void {
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
  }

  /** Runs writes in one transaction; false where they cannot run yet. */
  #runWritings(writings: readonly Writing[]): boolean {
    if (this.#connection.inTransaction) return this.#refuse("storage-in-transaction");
    let answers: RowSet[][];
    try {
      this.#configure();
      answers = runTogether(this.#connection, writings, isLast);
    } catch (thrown) {
      const failure = failureOf(this.#connection, thrown);
      if (isBusy(failure)) return this.#refuse("storage-busy");
      return this.#runApart(writings, failure);
    }
    const isInPlace = this.#file?.isInPlace() ?? true;
    for (const [index, rowSets] of answers.entries()) {
      const job = writings[index]?.job;
      if (job === undefined) continue;
      if (isInPlace) this.#answer(job, rowSets);
      else this.#fail(job, replacedFailure("unknown"));
    }
    return true;
  }

  /** What made the transaction fail may be one call's doing: alone, each gets what is its own. */
  #runApart(writings: readonly Writing[], failure: Error): boolean {
    const [first, ...more] = writings;
    if (first === undefined) return true;
    if (more.length === 0) {
      this.#fail(first.job, failure);
      return true;
    }
    for (const writing of writings) {
      if (!this.#runWritings([writing])) return false;
      // The others wait for one that goes on.
      if (this.#jobs.includes(writing.job)) return true;
    }
    return true;
  }

  #answer(job: Job, rowSets: RowSet[]): void {
    try {
      job.call.answer(rowSets);
      this.#batchOf(job);
    } catch (thrown) {
      this.#fail(job, thrown);
    }
  }

  #fail(job: Job, failure: unknown): void {
    job.reject(failure);
    this.#remove(job);
  }

  /** Runs all that is left of a call; false where it cannot go on yet. Throws what ends it. */
  #runAlone(call: StoredCall, isInside: boolean): boolean {
    for (let { batch } = call; batch !== undefined; { batch } = call) {
      if (!this.#runBatch(call, batch, isInside)) return false;
    }
    return true;
  }

  /** Runs a call's batch and answers it; false where it cannot run yet. Throws its failure. */
  #runBatch(call: StoredCall, batch: Batch, isInside: boolean): boolean {
    const { inTransaction } = this.#connection;
    if (inTransaction && !isInside) return this.#refuse("storage-in-transaction");
    let rowSets: RowSet[];
    try {
      if (inTransaction) this.#joined += 1;
      else this.#configure();
      rowSets = runBatch(this.#connection, batch);
    } catch (thrown) {
      const failure = failureOf(this.#connection, thrown);
      if (isBusy(failure)) return this.#refuse("storage-busy");
      throw failure;
    }
    if (this.#file?.isInPlace() === false) {
      throw replacedFailure(batch.access === "read" ? "nothing" : "unknown");
    }
    call.answer(rowSets);
    return true;
  }

  #configure(): void {
    if (this.#configured) return;
    configure(this.#connection, this.#options.synchronous);
    this.#file ??= new DatabaseFile(this.#connection);
    this.#configured = true;
  }

  #refuse(why: Refusal): false {
    this.#refusal = why;
    return false;
  }

  #expire(): void {
    const now = timers.elapsed();
    const expired = this.#jobs.filter(({ deadline }) => deadline <= now);
    this.#jobs = this.#jobs.filter(({ deadline }) => deadline > now);
    for (const job of expired) job.reject(storageError(this.#refusal));
    if (this.#jobs.length === 0) this.#refusals = 0;
  }
}

function isLast({ job }: Writing, rowSets: RowSet[]): boolean {
  return job.call.endsWith(rowSets);
}

/** A batch alone, as a call. */
class OneBatch implements StoredCall {
  readonly due: StoredCall["due"];
  batch: Batch | undefined;
  rowSets: RowSet[] = [];

  constructor(batch: Batch) {
    this.due = batch.access === "read" ? "now" : "turn";
    this.batch = batch;
  }

  endsWith(): boolean {
    return true;
  }

  answer(rowSets: RowSet[]): void {
    this.rowSets = rowSets;
    this.batch = undefined;
  }
}
