import Database from "better-sqlite3";

import type { SqlValue } from "../../planner/adapter.js";
import { type Connection, mainFile } from "./connection.js";
import { storageError } from "./failure.js";
import { type Positional, positional } from "./numbered.js";
import { Prepared } from "./prepared.js";

/**
 * SQLite's result codes by the names that the driver gives. Only those that a storage
 * distinguishes.
 */
const RESULT_CODES: Record<string, number> = {
  SQLITE_PERM: 3,
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_READONLY: 8,
  SQLITE_IOERR: 10,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_CANTOPEN: 14,
  SQLITE_PROTOCOL: 15,
  SQLITE_TOOBIG: 18,
  SQLITE_NOTADB: 26,
};

/** A prepared statement. */
interface Kept {
  readonly statement: Database.Statement<unknown[], SqlValue[]>;
  /** Whether it returns rows. */
  readonly reader: boolean;
  readonly positional: Positional;
}

/**
 * Opens a database. The driver does not wait for locks, as that would stop the event loop: the
 * commit queue waits instead.
 */
export function openBetterSqlite3(path: string, options: Database.Options = {}): Database.Database {
  try {
    return new Database(path, { timeout: 0, ...options });
  } catch (thrown) {
    throw storageError("storage-unreachable", thrown);
  }
}

/** A connection of better-sqlite3. */
export class BetterSqlite3Connection implements Connection {
  readonly #db: Database.Database;
  readonly #prepared: Prepared<Kept>;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#prepared = new Prepared((text) => {
      const ours = positional(text);
      const statement = db.prepare<unknown[], SqlValue[]>(ours.text);
      const { reader } = statement;
      if (reader) statement.safeIntegers(true).raw(true);
      return { statement, reader, positional: ours };
    });
  }

  get open(): boolean {
    return this.#db.open;
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  get path(): string {
    return mainFile(this);
  }

  execute(text: string): void {
    this.#prepared.of(text).statement.run();
  }

  query(text: string, parameters: readonly SqlValue[]): SqlValue[][] {
    const { statement, reader, positional } = this.#prepared.of(text);
    const values = positional.arranged(parameters);
    if (reader) return statement.all(...values);
    statement.run(...values);
    return [];
  }

  pragma(text: string): SqlValue | undefined {
    const value: unknown = this.#db.pragma(text, { simple: true });
    return typeof value === "number" || typeof value === "string" ? value : undefined;
  }

  resultCode(thrown: unknown): number | undefined {
    // Not `instanceof`: the error's class may be of another copy of the driver, or of another
    // realm, as in Jest.
    const code = typeof thrown === "object" ? Reflect.get(thrown ?? {}, "code") : undefined;
    const [name] = /^SQLITE_[A-Z]+/.exec(String(code)) ?? [];
    return name === undefined ? undefined : RESULT_CODES[name];
  }
}
