import { noteLostAttempt, StoreError } from "../../errors.js";
import type { Batch, RowSet, SqlValue, StorageAdapter } from "../../planner/adapter.js";
import { timers } from "../../platform/timers.js";
import {
  type PostgresClient,
  type PostgresPool,
  type PostgresResult,
  queriesOf,
  queryOf,
} from "./pool.js";
import {
  ended,
  failureOf,
  noConnection,
  type Progress,
  rolledBack,
  timeout,
} from "./server-failure.js";

/** The first wait before a batch is run again, and the longest one. */
const WAIT_MS = 20;
const WAIT_MS_MAX = 1000;

/** How an adapter uses its pool. */
export interface PostgresAdapterOptions {
  /** The schema that has the tables. */
  readonly schema: string;
  /** How many milliseconds a batch may take, with all repetitions. */
  readonly deadlineMs: number;
}

/**
 * Executes batches on connections of a pool of `pg`. A batch is one round trip if they pipeline.
 */
export class PostgresAdapter implements StorageAdapter {
  readonly name = "postgres";
  readonly dialect: { readonly name: "postgres"; readonly schema: string };
  // Each batch has a deadline of its own.
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly joinsCalls = true;
  readonly #pool: PostgresPool;
  readonly #deadlineMs: number;
  readonly #running = new Set<Promise<unknown>>();
  #hasConnected = false;
  #isEnded = false;

  constructor(pool: PostgresPool, { schema, deadlineMs }: PostgresAdapterOptions) {
    this.dialect = { name: "postgres", schema };
    this.#pool = pool;
    this.#deadlineMs = deadlineMs;
    // A connection that dies while nobody uses it is replaced. Without a listener, the pool's event
    // would end the process.
    if (pool.listenerCount("error") === 0) pool.on("error", ignored);
  }

  run(batch: Batch): Promise<RowSet[]> {
    if (this.#isEnded) return Promise.reject(ended().error);
    const running = this.#run(batch);
    this.#running.add(running);
    const left = () => this.#running.delete(running);
    running.then(left, left);
    return running;
  }

  /** Waits for the batches under way and those that follow from them. Later ones are refused. */
  async end(): Promise<void> {
    do {
      await Promise.allSettled(this.#running);
      await new Promise<void>((resolve) => timers.setImmediate(() => resolve()));
      await new Promise<void>((resolve) => timers.setImmediate(() => resolve()));
    } while (this.#running.size > 0);
    this.#isEnded = true;
  }

  /** Runs a batch, and again while its failures are transient and there is time: it may be. */
  async #run(batch: Batch): Promise<RowSet[]> {
    const end = timers.elapsed() + this.#deadlineMs;
    let maybeStored = false;
    for (let waitMs = WAIT_MS; ; waitMs = Math.min(2 * waitMs, WAIT_MS_MAX)) {
      const attempt = new Attempt(batch, end, this.#deadlineMs);
      try {
        const rowSets = await attempt.run(this.#pool);
        this.#hasConnected = true;
        return rowSets;
      } catch (thrown) {
        this.#hasConnected ||= attempt.isConnected;
        const { error, isTransient } = failureOf(thrown, attempt);
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
}

/** One attempt at a batch, on one connection. */
class Attempt implements Progress {
  readonly #batch: Batch;
  readonly #end: number;
  readonly #deadlineMs: number;
  /** Whether a connection was there. */
  isConnected = false;

  constructor(batch: Batch, end: number, deadlineMs: number) {
    this.#batch = batch;
    this.#end = end;
    this.#deadlineMs = deadlineMs;
  }

  /** Whether the server may have stored something. */
  get isWritten(): boolean {
    return this.isConnected && this.#batch.access === "write";
  }

  async run(pool: PostgresPool): Promise<RowSet[]> {
    const connecting = pool.connect();
    const client = await this.#inTime(connecting, () => {
      connecting.then((late) => late.release()).catch(() => {});
      return noConnection(this.#deadlineMs);
    });
    this.isConnected = true;
    // A connection that dies in use fails its queries, and has an event too.
    client.on("error", ignored);
    let keeps = false;
    try {
      const rowSets = await this.#inTime(this.#runOn(client), () => {
        return timeout(this.#deadlineMs, this.isWritten);
      });
      keeps = true;
      return rowSets;
    } catch (thrown) {
      keeps = failureOf(thrown, this).keepsConnection;
      throw thrown;
    } finally {
      client.release(!keeps);
      if (keeps) client.removeListener("error", ignored);
    }
  }

  async #runOn(client: PostgresClient): Promise<RowSet[]> {
    const { queries, around } = queriesOf(this.#batch);
    const results: PostgresResult[] = [];
    try {
      if (client.pipeline) results.push(...(await allOf(queries.map((one) => client.query(one)))));
      else for (const query of queries) results.push(await client.query(query));
    } catch (thrown) {
      // In a pipeline COMMIT followed, which has ended the failed transaction.
      if (around > 0 && !client.pipeline && failureOf(thrown, this).keepsConnection) {
        await client.query(queryOf("ROLLBACK"));
      }
      throw thrown;
    }
    if (around > 0 && results.at(-1)?.command !== "COMMIT") throw rolledBack();
    const rows = results.slice(around, results.length - around).map((result) => result.rows);
    return this.#batch.statements.map(({ parameters }) => {
      return { rows: parameters.flatMap(() => rows.shift() ?? []) as SqlValue[][] };
    });
  }

  /** What the promise gives, or the failure if the deadline is before that. */
  #inTime<T>(promise: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const left = Math.max(this.#end - timers.elapsed(), 0);
      const timer = timers.setTimeout(() => reject(late()), left);
      promise.then(resolve, reject).finally(() => timers.clearTimeout(timer));
    });
  }
}

function ignored(): void {}

/** All results, or the first failure once all have settled. */
async function allOf<T>(promises: Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}
