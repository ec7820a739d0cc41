import { StorageError } from "../../errors.js";
import type { Batch, RowSet, SqlValue, Statement, StorageAdapter } from "../../planner/adapter.js";
import { Prepared } from "./prepared.js";
import { codeOf, primaryCode } from "./result-codes.js";

/** The part of the statements of SQLite's own build for browsers that is used here. */
export interface SqliteWasmStatement {
  bind(values: readonly SqlValue[]): unknown;
  step(): boolean;
  get(row: unknown[]): unknown[];
  reset(alsoClearBinds: boolean): unknown;
  finalize(): unknown;
}

/** The part of a database of SQLite's own build for browsers that is used here. */
export interface SqliteWasmDatabase {
  isOpen(): boolean;
  exec(sql: string): unknown;
  prepare(sql: string): SqliteWasmStatement;
  close(): void;
}

/** Executes batches in a database of `@sqlite.org/sqlite-wasm`, synchronously. */
export class SqliteWasmAdapter implements StorageAdapter {
  readonly name = "sqlite-wasm";
  readonly #db: SqliteWasmDatabase;
  readonly #busyDeadlineMs: number;
  readonly #prepared: Prepared<SqliteWasmStatement>;
  #configured = false;

  /**
   * @param busyDeadlineMs How many milliseconds a batch waits for a lock that another tab holds.
   */
  constructor(db: SqliteWasmDatabase, busyDeadlineMs: number) {
    this.#db = db;
    this.#busyDeadlineMs = busyDeadlineMs;
    this.#prepared = new Prepared(
      (text) => db.prepare(text),
      (statement) => statement.finalize(),
    );
  }

  run(batch: Batch): RowSet[] {
    try {
      if (!this.#configured) this.#db.exec(`PRAGMA busy_timeout = ${this.#busyDeadlineMs}`);
      this.#configured = true;
      this.#db.exec(batch.access === "read" ? "BEGIN" : "BEGIN IMMEDIATE");
      return this.#committed(batch);
    } catch (thrown) {
      throw this.#failure(thrown);
    }
  }

  /** Frees the statements, then closes the database. */
  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #committed(batch: Batch): RowSet[] {
    let committed = false;
    try {
      const rowSets = batch.statements.map((statement) => this.#rows(statement));
      this.#db.exec("COMMIT");
      committed = true;
      return rowSets;
    } finally {
      if (!committed) this.#rollBack();
    }
  }

  /** SQLite itself rolls back on some failures. Then this fails, and that does not matter. */
  #rollBack(): void {
    try {
      this.#db.exec("ROLLBACK");
    } catch {
      // The transaction has ended already.
    }
  }

  #rows({ text, parameters }: Statement): RowSet {
    const rows: SqlValue[][] = [];
    const statement = this.#prepared.of(text);
    for (const values of parameters) {
      try {
        if (values.length > 0) statement.bind(values);
        while (statement.step()) rows.push(statement.get([]) as SqlValue[]);
      } finally {
        statement.reset(true);
      }
    }
    return { rows };
  }

  #failure(thrown: unknown): StorageError {
    if (!this.#db.isOpen()) {
      return new StorageError("storage-closed", "the SQLite database is closed; make a new saver", {
        cause: thrown,
        stored: "nothing",
      });
    }
    const code = codeOf(primaryCode((thrown as { resultCode?: unknown } | undefined)?.resultCode));
    const message = "SQLite failed to run a batch; the cause of this error says why";
    return new StorageError(code, message, { cause: thrown, stored: "nothing" });
  }
}
