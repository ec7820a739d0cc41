import { lateInside } from "../../errors.js";
import type { Synchronous } from "../../options.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "../../planner/adapter.js";
import { timers } from "../../platform/timers.js";
import { type Connection, configure } from "./connection.js";
import { DatabaseFile } from "./database-file.js";
import { busyInside, failureOf, isBusy, replacedFailure, storageError } from "./failure.js";
import { runBatch, runTogether } from "./transaction.js";

/** At most this many calls share a transaction. */
const GROUP_MAX = 256;
/** The longest pause between two attempts to get a lock. Pauses start short and grow. */
const PAUSE_MAX_MS = 16;
/**
 * How long the event loop is blocked, once, to wait for a lock on behalf of a put: LangGraph
 * meanwhile runs the next node, which may change the state that the put was made of.
 */
const BLOCKING_WAIT_MS = 100;

/** The options of a commit queue. */
export interface QueueOptions {
  /** When a commit waits for the disk. Undefined leaves the connection's own setting. */
  readonly synchronous?: Synchronous | undefined;
  /** How many milliseconds a call waits for a lock that another connection holds. */
  readonly busyDeadlineMs: number;
}

/** A waiting call. */
interface Job {
  readonly call: StoredCall;
  readonly deadline: number;
  resolve(): void;
  reject(failure: unknown): void;
}

/** A job whose next batch writes. */
interface Writing {
  readonly job: Job;
  readonly batch: Batch;
}

/** Why nothing can run at the moment. */
type Refusal = "storage-busy" | "storage-in-transaction";

/**
 * Runs calls on a connection one after the other, in the order they are made.
 *
 * A call waits until it is due. All calls that write by then share a transaction: they are planned
 * together, run in order, and are answered after the commit. If one fails, each runs again in a
 * transaction of its own. A call that reads runs at once, after the calls before it.
 *
 * While another connection holds the lock, all calls wait in line and the event loop goes on. For
 * calls that are due before the end of the turn, it is first blocked for a short time.
 *
 * A call made while the caller has a transaction open on the connection runs inside it at once, or
 * fails. A call made before that waits for the transaction's end.
 */
export class CommitQueue implements StorageAdapter {
  readonly name = "SQLite";
  /**
   * No deadline from outside: jobs have their own while they wait for a lock, and SQLite itself
   * answers at once.
   */
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly #connection: Connection;
  readonly #options: QueueOptions;
  #file: DatabaseFile | undefined;
  #jobs: Job[] = [];
  #configured = false;
  /** What is scheduled to drain the queue. */
  readonly #scheduled = new Set<"microtask" | "turn" | "pause">();
  /** How many attempts in a row could not run the first call, and why the last one could not. */
  #refusals = 0;
  #refusal: Refusal = "storage-busy";
  /** Whether the event loop was blocked in vain since the last commit. */
  #blockedInVain = false;
  #joined = 0;

  constructor(connection: Connection, options: QueueOptions) {
    this.#connection = connection;
    this.#options = options;
    try {
      this.#file = new DatabaseFile(connection);
    } catch {
      // The first call meets the same error and reports it.
    }
  }

  get joined(): number {
    return this.#joined;
  }

  get inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  run(batch: Batch): RowSet[] | Promise<RowSet[]> {
    const call = new OneBatch(batch, this.inTransaction);
    const ended = this.runCall(call);
    return ended === undefined ? call.rowSets : ended.then(() => call.rowSets);
  }

  runCall(call: StoredCall): void | Promise<void> {
    if (call.isInside) return this.#runInside(call);
    if (call.due === "now") {
      this.#drain();
      if (this.#jobs.length === 0 && this.#runAlone(call)) return undefined;
    }
    const deadline = timers.elapsed() + this.#options.busyDeadlineMs;
    return new Promise((resolve, reject) => {
      this.#jobs.push({ call, deadline, resolve, reject });
      this.#schedule(call.due === "turn" ? "turn" : "microtask");
    });
  }

  /**
   * Runs a call inside the caller's transaction. It may overtake waiting calls of other threads
   * only.
   */
  #runInside(call: StoredCall): void {
    const { thread } = call;
    const waits = (other: string | undefined) => other === undefined || other === thread;
    if (this.#jobs.some((job) => thread === undefined || waits(job.call.thread))) {
      throw lateInside();
    }
    this.#joined += 1;
    if (!this.#runAlone(call)) throw busyInside();
  }

  /** Runs the waiting calls once. Those that still cannot run fail. */
  flush(): void {
    this.#drain();
    const left = this.#jobs;
    this.#jobs = [];
    for (const job of left) job.reject(storageError(this.#refusal));
  }

  #schedule(due: "microtask" | "turn"): void {
    const maySucceed = this.#refusals === 0 || (due === "microtask" && !this.#blockedInVain);
    const by = maySucceed ? due : "pause";
    if (this.#scheduled.has(by)) return;
    this.#scheduled.add(by);
    const wake = () => {
      this.#scheduled.delete(by);
      this.#drain();
    };
    if (by === "microtask") timers.queueMicrotask(wake);
    else if (by === "turn") timers.setImmediate(wake);
    // A random share of the pause, so that two processes do not stay in step.
    else timers.setTimeout(wake, this.#pauseMs() * (0.5 + Math.random() / 2));
  }

  #pauseMs(): number {
    return Math.min(2 ** this.#refusals, PAUSE_MAX_MS);
  }

  #drain(): void {
    while (this.#jobs.length > 0) {
      if (this.#tryNext()) {
        this.#refusals = 0;
        continue;
      }
      this.#refusals += 1;
      this.#expire();
      if (this.#jobs.length > 0) this.#schedule("turn");
      return;
    }
  }

  /** Runs `#runNext`. An unexpected error fails the first call, so that no call waits forever. */
  #tryNext(): boolean {
    try {
      return this.#runNext();
    } catch (thrown) {
      const [job] = this.#jobs;
      if (job !== undefined) this.#fail(job, thrown);
      return true;
    }
  }

  /** Runs the next calls that write, or the next call that reads. False if they cannot run yet. */
  #runNext(): boolean {
    const writings = this.#nextWritings();
    if (writings.length > 0) return this.#runWritings(writings);
    const [job] = this.#jobs;
    const batch = job && this.#batchOf(job);
    if (job === undefined || batch === undefined) return true;
    try {
      // Only its read runs here: if it goes on to write, that shares a transaction with later
      // calls.
      if (!this.#runBatch(job.call, batch)) return false;
      this.#batchOf(job);
    } catch (thrown) {
      this.#fail(job, thrown);
    }
    return true;
  }

  /** The calls at the front that write. Calls that have ended leave the queue. */
  #nextWritings(): Writing[] {
    const writings: Writing[] = [];
    while (writings.length < GROUP_MAX) {
      const job = this.#jobs[writings.length];
      if (job === undefined) break;
      const batch = this.#batchOf(job);
      if (batch?.access === "read") break;
      if (batch !== undefined) writings.push({ job, batch });
    }
    return writings;
  }

  /** The batch that a job's call needs next. If the call has ended, the job leaves the queue. */
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

  /** Runs writes in one transaction. False if they cannot run yet. */
  #runWritings(writings: readonly Writing[]): boolean {
    if (this.#connection.inTransaction) return this.#refuse("storage-in-transaction");
    let answers: RowSet[][] | undefined;
    try {
      const mustBeSoon = writings.some(({ job }) => job.call.due !== "turn");
      answers = this.#unlessBusy(mustBeSoon, () => {
        this.#prepareWrite(false);
        return runTogether(this.#connection, writings, isLast);
      });
    } catch (thrown) {
      return this.#runApart(writings, failureOf(this.#connection, thrown));
    }
    if (answers === undefined) return false;
    this.#blockedInVain = false;
    const isInPlace = this.#isInPlace();
    for (const [index, rowSets] of answers.entries()) {
      const job = writings[index]?.job;
      if (job === undefined) continue;
      if (isInPlace) this.#answer(job, rowSets);
      else this.#fail(job, replacedFailure("unknown"));
    }
    return true;
  }

  /**
   * One call may have made the transaction fail: runs each in its own, so that only that one fails.
   */
  #runApart(writings: readonly Writing[], failure: Error): boolean {
    const [first, ...more] = writings;
    if (first === undefined) return true;
    if (more.length === 0) {
      this.#fail(first.job, failure);
      return true;
    }
    for (const writing of writings) {
      if (!this.#runWritings([writing])) return false;
      // This call needs another round, and the others wait for it.
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

  /** Runs a call to its end. False if it cannot go on yet. Throws the call's failure. */
  #runAlone(call: StoredCall): boolean {
    for (let { batch } = call; batch !== undefined; { batch } = call) {
      if (!this.#runBatch(call, batch)) return false;
    }
    return true;
  }

  /** Runs a call's batch and answers it. False if it cannot run yet. Throws the call's failure. */
  #runBatch(call: StoredCall, batch: Batch): boolean {
    const isInside = call.isInside ?? false;
    if (this.#connection.inTransaction !== isInside) {
      if (isInside) throw lateInside();
      return this.#refuse("storage-in-transaction");
    }
    const rowSets = this.#unlessBusy(call.due !== "turn", () => {
      if (batch.access === "write") this.#prepareWrite(isInside);
      else if (!isInside) this.#configure();
      return runBatch(this.#connection, batch);
    });
    if (rowSets === undefined) return false;
    if (!this.#isInPlace()) {
      throw replacedFailure(batch.access === "read" ? "nothing" : "unknown");
    }
    call.answer(rowSets);
    return true;
  }

  /** Runs what may find the file locked; undefined if it does. Throws any other failure. */
  #unlessBusy<T>(mustBeSoon: boolean, run: () => T): T | undefined {
    try {
      return run();
    } catch (thrown) {
      const failure = failureOf(this.#connection, thrown);
      if (!isBusy(failure)) throw failure;
    }
    if (mustBeSoon && !this.#blockedInVain) return this.#runBlocking(run);
    this.#refuse("storage-busy");
    return undefined;
  }

  /** The same, but blocks the event loop while waiting for the lock. */
  #runBlocking<T>(run: () => T): T | undefined {
    this.#blockedInVain = true;
    const usual = Number(this.#connection.pragma("busy_timeout"));
    const waitMs = Math.ceil(Math.min(BLOCKING_WAIT_MS, this.#options.busyDeadlineMs));
    // A longer timeout of the caller's own stays.
    this.#connection.pragma(`busy_timeout = ${Math.max(usual, waitMs)}`);
    try {
      const value = this.#unlessBusy(false, run);
      this.#blockedInVain = value === undefined;
      return value;
    } finally {
      this.#connection.pragma(`busy_timeout = ${usual}`);
    }
  }

  #configure(): void {
    if (this.#configured) return;
    configure(this.#connection, this.#options.synchronous);
    this.#file ??= new DatabaseFile(this.#connection);
    this.#configured = true;
  }

  /**
   * Checks the files before a write: written through another log or index than other processes use,
   * it could overwrite what they wrote.
   */
  #prepareWrite(isInside: boolean): void {
    if (!isInside) this.#configure();
    if (this.#file?.isInPlace() === false) throw replacedFailure("nothing");
  }

  /**
   * Whether a batch really used the files of the database's name. False if that cannot be found
   * out.
   */
  #isInPlace(): boolean {
    try {
      return this.#file?.isInPlace() ?? true;
    } catch {
      return false;
    }
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

/** A call that consists of one batch. */
class OneBatch implements StoredCall {
  readonly due: StoredCall["due"];
  readonly isInside: boolean;
  batch: Batch | undefined;
  rowSets: RowSet[] = [];

  constructor(batch: Batch, isInside: boolean) {
    this.due = batch.access === "read" ? "now" : "turn";
    this.isInside = isInside;
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
