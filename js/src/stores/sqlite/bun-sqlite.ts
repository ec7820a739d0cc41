import { Database, SQLiteError, type Statement } from "bun:sqlite";

import type { SqlValue } from "../../planner/adapter.js";
import { type Connection, mainFile } from "./connection.js";
import { storageError } from "./failure.js";
import { Prepared } from "./prepared.js";
import { primaryCode } from "./result-codes.js";

/**
 * Opens a database. The driver does not wait for locks, as that would stop the event loop: the
 * commit queue waits instead.
 */
export function openBunSqlite(path: string): Database {
  try {
    const db = new Database(path, { create: true, readwrite: true, safeIntegers: true });
    db.run("PRAGMA busy_timeout = 0");
    return db;
  } catch (thrown) {
    throw storageError("storage-unreachable", thrown);
  }
}

/** A connection of bun:sqlite. */
export class BunSqliteConnection implements Connection {
  readonly #db: Database;
  readonly #prepared: Prepared<Statement>;

  constructor(db: Database) {
    this.#db = db;
    this.#prepared = new Prepared((text) => db.prepare(text));
  }

  get open(): boolean {
    // The driver cannot say whether it is open, but this property throws once it is closed.
    try {
      return typeof this.#db.inTransaction === "boolean";
    } catch {
      return false;
    }
  }

  get inTransaction(): boolean {
    return this.open && this.#db.inTransaction;
  }

  get path(): string {
    return mainFile(this);
  }

  execute(text: string): void {
    this.#prepared.of(text).run();
  }

  query(text: string, parameters: readonly SqlValue[]): SqlValue[][] {
    return this.#prepared.of(text).values(...parameters) ?? [];
  }

  pragma(text: string): SqlValue | undefined {
    return this.#db.prepare(`PRAGMA ${text}`).values()?.[0]?.[0];
  }

  resultCode(thrown: unknown): number | undefined {
    return thrown instanceof SQLiteError ? primaryCode(thrown.errno) : undefined;
  }
}
