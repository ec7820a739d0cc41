import { lateInside } from "../../errors.js";
import type { Synchronous } from "../../options.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "../../planner/adapter.js";
import { timers } from "../../platform/timers.js";
import { type Connection, configure } from "./connection.js";
import { DatabaseFile } from "./database-file.js";
import { busyInside, failureOf, isBusy, replacedFailure, storageError } from "./failure.js";
import { runBatch, runTogether } from "./transaction.js";

/** How many calls share a transaction. */
const GROUP_MAX = 256;
/** The longest pause between two attempts to get a lock; the first is the shortest. */
const PAUSE_MAX_MS = 16;
/**
 * How long the event loop waits for a lock, once, for what LangGraph must not overtake: it runs
 * the next node meanwhile, which may change the state that a put was made of.
 */
const STANDSTILL_MS = 100;

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
 * While another connection holds the lock everything waits in line, and the event loop goes on,
 * after a short standstill for what is due before the end of the turn.
 *
 * A call that is made while the caller has a transaction open on the connection runs inside of it,
 * at once, or fails. One that was made before runs outside: it waits for the transaction's end.
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
  /** Whether the event loop has waited in vain since the last commit. */
  #stoodStill = false;
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

  /** Of what waits, a call inside overtakes what is of other threads. */
  #runInside(call: StoredCall): void {
    const { thread } = call;
    const waits = (other: string | undefined) => other === undefined || other === thread;
    if (this.#jobs.some((job) => thread === undefined || waits(job.call.thread))) {
      throw lateInside();
    }
    this.#joined += 1;
    if (!this.#runAlone(call)) throw busyInside();
  }

  /** Runs what waits, once; what still cannot run then fails. */
  flush(): void {
    this.#drain();
    const left = this.#jobs;
    this.#jobs = [];
    for (const job of left) job.reject(storageError(this.#refusal));
  }

  #schedule(due: "microtask" | "turn"): void {
    const maySucceed = this.#refusals === 0 || (due === "microtask" && !this.#stoodStill);
    const by = maySucceed ? due : "pause";
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

  /** The same, and what nobody expects to be thrown fails the first call: none waits forever. */
  #tryNext(): boolean {
    try {
      return this.#runNext();
    } catch (thrown) {
      const [job] = this.#jobs;
      if (job !== undefined) this.#fail(job, thrown);
      return true;
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
      if (!this.#runBatch(job.call, batch)) return false;
      this.#batchOf(job);
    } catch (thrown) {
      this.#fail(job, thrown);
    }
    return true;
  }

  /** The first calls as far as they write. One that has ended is answered. */
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
    this.#stoodStill = false;
    const isInPlace = this.#isInPlace("write");
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
  #runAlone(call: StoredCall): boolean {
    for (let { batch } = call; batch !== undefined; { batch } = call) {
      if (!this.#runBatch(call, batch)) return false;
    }
    return true;
  }

  /** Runs a call's batch and answers it; false where it cannot run yet. Throws its failure. */
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
    if (!this.#isInPlace(batch.access)) {
      throw replacedFailure(batch.access === "read" ? "nothing" : "unknown");
    }
    call.answer(rowSets);
    return true;
  }

  /** Runs what may find the file locked; undefined where it does. Throws any other failure. */
  #unlessBusy<T>(mustBeSoon: boolean, run: () => T): T | undefined {
    try {
      return run();
    } catch (thrown) {
      const failure = failureOf(this.#connection, thrown);
      if (!isBusy(failure)) throw failure;
    }
    if (mustBeSoon && !this.#stoodStill) return this.#atStandstill(run);
    this.#refuse("storage-busy");
    return undefined;
  }

  /** Runs it with the event loop waiting for the lock. */
  #atStandstill<T>(run: () => T): T | undefined {
    this.#stoodStill = true;
    const usual = Number(this.#connection.pragma("busy_timeout"));
    const waitMs = Math.ceil(Math.min(STANDSTILL_MS, this.#options.busyDeadlineMs));
    // Who has the driver itself wait for longer has waited.
    this.#connection.pragma(`busy_timeout = ${Math.max(usual, waitMs)}`);
    try {
      const value = this.#unlessBusy(false, run);
      this.#stoodStill = value === undefined;
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

  /** What is written by another log, or index, than the others have may overwrite theirs. */
  #prepareWrite(isInside: boolean): void {
    if (!isInside) this.#configure();
    if (this.#file?.isInPlace("before a write") === false) throw replacedFailure("nothing");
  }

  /** Whether it went to the file, or came from it; not where that cannot be found out. */
  #isInPlace(access: Batch["access"]): boolean {
    try {
      return this.#file?.isInPlace(`after a ${access}`) ?? true;
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

/** A batch alone, as a call. */
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
