import type { Batch, RowSet, StorageAdapter } from "../../planner/adapter.js";
import { type BoundRun, boundRuns, fromColumn, notOfPlatform, platformFailure } from "./storage.js";

/** The part of a Durable Object's `ctx.storage.sql` that is used here. */
export interface DurableObjectSql {
  exec(query: string, ...bindings: unknown[]): { raw(): Iterable<unknown[]> };
}

/** The part of a Durable Object's `ctx.storage`, with SQLite, that is used here. */
export interface DurableObjectStorage {
  readonly sql: DurableObjectSql;
  transactionSync<T>(run: () => T): T;
}

const NAME = "the Durable Object's database";

/**
 * Executes batches in a Durable Object, synchronously. The platform holds back what the object
 * sends until its writes are on disk.
 */
export class DurableObjectAdapter implements StorageAdapter {
  readonly name = "durable-object";
  readonly #sql: DurableObjectSql;
  readonly #transaction: (run: () => RowSet[]) => RowSet[];
  /**
   * What a failed write leaves: without transactions, the statements before the failing one stay.
   */
  readonly #failedStored: "nothing" | "unknown";

  constructor(storage: DurableObjectStorage | DurableObjectSql) {
    const sql = Object(storage).sql ?? storage;
    if (typeof sql?.exec !== "function") {
      throw notOfPlatform("a Durable Object's ctx.storage; its class needs new_sqlite_classes");
    }
    this.#sql = sql;
    if ("transactionSync" in storage) {
      this.#transaction = (run) => storage.transactionSync(run);
      this.#failedStored = "nothing";
    } else {
      this.#transaction = (run) => run();
      this.#failedStored = "unknown";
    }
  }

  run(batch: Batch): RowSet[] {
    const statements = boundRuns(batch, NAME);
    const run = () => statements.map((runs) => ({ rows: runs.flatMap((one) => this.#rows(one)) }));
    try {
      return batch.access === "read" ? run() : this.#transaction(run);
    } catch (thrown) {
      const stored = batch.access === "read" ? "nothing" : this.#failedStored;
      throw platformFailure(NAME, thrown, stored);
    }
  }

  #rows({ text, values }: BoundRun) {
    return Array.from(this.#sql.exec(text, ...values).raw(), (row) => row.map(fromColumn));
  }
}
