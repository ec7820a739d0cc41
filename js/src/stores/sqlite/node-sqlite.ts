import type { DatabaseSync, DatabaseSyncOptions, StatementSync } from "node:sqlite";
import { InvalidInputError } from "../../errors.js";
import type { SqlValue } from "../../planner/adapter.js";
import { builtinModule, types } from "../../platform/runtime.js";
import { type Connection, mainFile } from "./connection.js";
import { storageError } from "./failure.js";
import { type Positional, positional } from "./numbered.js";
import { Prepared } from "./prepared.js";
import { primaryCode } from "./result-codes.js";

/**
 * Opens a database. The driver does not wait for locks, as that would stop the event loop: the
 * commit queue waits instead.
 */
export function openNodeSqlite(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  // Not imported, so that an older Node.js gets the error below.
  const driver = builtinModule<typeof import("node:sqlite")>("node:sqlite");
  if (driver === undefined) {
    const message =
      "there is no node:sqlite in this runtime; use Node.js 22.16 or newer, or " +
      "langgraph-checkpoint-wasm/sqlite with better-sqlite3";
    throw new InvalidInputError("missing-driver", message);
  }
  try {
    return new driver.DatabaseSync(path, { timeout: 0, ...options });
  } catch (thrown) {
    throw storageError("storage-unreachable", thrown);
  }
}

/** A prepared statement. */
interface Kept {
  readonly statement: StatementSync;
  readonly positional: Positional;
}

/** A connection of node:sqlite. */
export class NodeSqliteConnection implements Connection {
  readonly #db: DatabaseSync;
  readonly #prepared: Prepared<Kept>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#prepared = new Prepared((text) => {
      const ours = positional(text);
      const statement = db.prepare(ours.text);
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      return { statement, positional: ours };
    });
  }

  get open(): boolean {
    return this.#db.isOpen;
  }

  get inTransaction(): boolean {
    return this.#db.isOpen && this.#db.isTransaction;
  }

  get path(): string {
    return mainFile(this);
  }

  execute(text: string): void {
    this.#prepared.of(text).statement.run();
  }

  query(text: string, parameters: readonly SqlValue[]): SqlValue[][] {
    const { statement, positional } = this.#prepared.of(text);
    const rows: unknown = statement.all(...positional.arranged(parameters));
    // `setReturnArrays` makes rows arrays, which the type does not express.
    return rows as SqlValue[][];
  }

  pragma(text: string): SqlValue | undefined {
    return Object.values(this.#db.prepare(`PRAGMA ${text}`).get() ?? {})[0];
  }

  resultCode(thrown: unknown): number | undefined {
    // Not `instanceof`: in Jest the driver's errors are of another realm.
    if (!types.isNativeError(thrown) || !("errcode" in thrown)) return undefined;
    return primaryCode(thrown.errcode);
  }
}
