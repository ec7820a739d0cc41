import { Database, SQLiteError, type Statement } from "bun:sqlite";

import type { SqlValue } from "../../planner/adapter.js";
import type { Connection } from "./connection.js";
import { storageError } from "./failure.js";

/** How many statements stay prepared; the planner has fewer texts. */
const PREPARED_MAX = 64;
/** SQLite's result codes have an extension above this byte. */
const PRIMARY_RESULT_CODE = 0xff;

/**
 * Opens a database. Waiting for locks is the saver's, which does not stop the event loop for it,
 * so the driver itself does not wait.
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
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  get open(): boolean {
    // The driver has no name for it; of a closed database this cannot be asked.
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
    const files = this.query("SELECT file FROM pragma_database_list WHERE name = 'main'", []);
    return String(files[0]?.[0] ?? "");
  }

  execute(text: string): void {
    this.#prepare(text).run();
  }

  query(text: string, parameters: readonly SqlValue[]): SqlValue[][] {
    return this.#prepare(text).values(...parameters) ?? [];
  }

  pragma(text: string): SqlValue | undefined {
    return this.#db.prepare(`PRAGMA ${text}`).values()?.[0]?.[0];
  }

  resultCode(thrown: unknown): number | undefined {
    return thrown instanceof SQLiteError ? thrown.errno & PRIMARY_RESULT_CODE : undefined;
  }

  #prepare(text: string): Statement {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(text);
    if (this.#prepared.size >= PREPARED_MAX) this.#prepared.clear();
    this.#prepared.set(text, statement);
    return statement;
  }
}
