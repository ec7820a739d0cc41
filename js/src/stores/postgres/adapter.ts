import { noteLostAttempt, StoreError } from "../../errors.js";
import type { Batch, RowSet, StorageAdapter } from "../../planner/adapter.js";
import { timers } from "../../platform/timers.js";
import { type Attempt, type PostgresDriver, queriesOf, rowSetsOf } from "./driver.js";
import { ended, failureOf, noConnection, timeout } from "./server-failure.js";

/** The first wait before a batch is run again, and the longest one. */
const WAIT_MS = 20;
const WAIT_MS_MAX = 1000;

/** How an adapter uses its driver. */
export interface PostgresAdapterOptions {
  /** The schema that has the tables. */
  readonly schema: string;
  /** How many milliseconds a batch may take, with all repetitions. */
  readonly deadlineMs: number;
}

/** Executes batches with a driver of PostgreSQL. */
export class PostgresAdapter implements StorageAdapter {
  readonly name = "postgres";
  readonly dialect: { readonly name: "postgres"; readonly schema: string };
  // Each batch has a deadline of its own.
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly joinsCalls = true;
  readonly #driver: PostgresDriver;
  readonly #deadlineMs: number;
  readonly #running = new Set<Promise<unknown>>();
  #hasConnected = false;
  #isEnded = false;

  constructor(driver: PostgresDriver, { schema, deadlineMs }: PostgresAdapterOptions) {
    this.dialect = { name: "postgres", schema };
    this.#driver = driver;
    this.#deadlineMs = deadlineMs;
  }

  run(batch: Batch): Promise<RowSet[]> {
    if (this.#isEnded) return Promise.reject(ended().error);
    const running = this.#run(batch);
    this.#running.add(running);
    const left = () => this.#running.delete(running);
    running.then(left, left);
    return running;
  }

  /**
   * Waits for the batches under way and those that follow from them, and ends the driver. Later
   * ones are refused.
   */
  async end(): Promise<void> {
    do {
      await Promise.allSettled(this.#running);
      await new Promise<void>((resolve) => timers.setImmediate(() => resolve()));
      await new Promise<void>((resolve) => timers.setImmediate(() => resolve()));
    } while (this.#running.size > 0);
    this.#isEnded = true;
    await this.#driver.end();
  }

  /** Runs a batch, and again while its failures are transient and there is time: it may be. */
  async #run(batch: Batch): Promise<RowSet[]> {
    const end = timers.elapsed() + this.#deadlineMs;
    const queries = queriesOf(batch);
    let maybeStored = false;
    for (let waitMs = WAIT_MS; ; waitMs = Math.min(2 * waitMs, WAIT_MS_MAX)) {
      const attempt = new OneAttempt(batch.access);
      try {
        const running = this.#driver.run(queries, batch.access, attempt);
        const rows = await this.#inTime(running, end, attempt);
        this.#hasConnected = true;
        return rowSetsOf(batch, rows);
      } catch (thrown) {
        this.#hasConnected ||= attempt.isConnected;
        const { error, isTransient, isAnswer = false } = failureOf(thrown, attempt);
        this.#hasConnected ||= isAnswer;
        const pause = waitMs * (0.5 + Math.random() / 2);
        const isLast = timers.elapsed() + pause >= end;
        // A server that never answered is rather a wrong address than one that restarts.
        if (!isTransient || isLast || !this.#hasConnected) {
          if (maybeStored && error instanceof StoreError) noteLostAttempt(error);
          throw error;
        }
        maybeStored ||= error instanceof StoreError && error.stored === "unknown";
        await new Promise<void>((resolve) => timers.setTimeout(() => resolve(), pause));
      }
    }
  }

  /** What the attempt gives, or a failure if the deadline is before that. */
  #inTime<T>(running: Promise<T>, end: number, attempt: Attempt): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => {
        const deadlineMs = this.#deadlineMs;
        const { isSent, isWritten } = attempt;
        const none = () => noConnection(deadlineMs, this.#hasConnected);
        reject(isSent ? timeout(deadlineMs, isWritten) : none());
        attempt.abandon?.();
      };
      const timer = timers.setTimeout(late, Math.max(end - timers.elapsed(), 0));
      running.then(resolve, reject).finally(() => timers.clearTimeout(timer));
    });
  }
}

class OneAttempt implements Attempt {
  isConnected = false;
  isSent = false;
  abandon: (() => void) | undefined;
  readonly #access: Batch["access"];

  constructor(access: Batch["access"]) {
    this.#access = access;
  }

  get isWritten(): boolean {
    return this.isSent && this.#access === "write";
  }
}
