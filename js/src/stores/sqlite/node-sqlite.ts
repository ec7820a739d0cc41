import type { DatabaseSync, StatementSync } from "node:sqlite";
import { InvalidInputError } from "../../errors.js";
import type { SqlValue } from "../../planner/adapter.js";
import { builtinModule, types } from "../../platform/runtime.js";
import { type Connection, mainFile } from "./connection.js";
import { storageError } from "./failure.js";
import { type Placed, placed } from "./numbered.js";
import { Prepared } from "./prepared.js";
import { primaryCode } from "./result-codes.js";

/**
 * Opens a database. Waiting for locks is the saver's, which does not stop the event loop for it,
 * so the driver itself does not wait.
 */
export function openNodeSqlite(path: string): DatabaseSync {
  // An import of it would fail before anything could be said, in a Node.js that has none.
  const driver = builtinModule<typeof import("node:sqlite")>("node:sqlite");
  if (driver === undefined) {
    const message =
      "there is no node:sqlite in this runtime: it takes Node.js 22.16 or newer; in others use " +
      "langgraph-checkpoint-wasm/sqlite, on better-sqlite3";
    throw new InvalidInputError("missing-driver", message);
  }
  try {
    return new driver.DatabaseSync(path, { timeout: 0 });
  } catch (thrown) {
    throw storageError("storage-unreachable", thrown);
  }
}

/** A statement that is kept. */
interface Kept {
  readonly statement: StatementSync;
  readonly placed: Placed;
}

/** A connection of node:sqlite. */
export class NodeSqliteConnection implements Connection {
  readonly #db: DatabaseSync;
  readonly #prepared: Prepared<Kept>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#prepared = new Prepared((text) => {
      const ours = placed(text);
      const statement = db.prepare(ours.text);
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      return { statement, placed: ours };
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
    const { statement, placed } = this.#prepared.of(text);
    const rows: unknown = statement.all(...placed.arranged(parameters));
    // The statement is set to give arrays, which its type does not know.
    return rows as SqlValue[][];
  }

  pragma(text: string): SqlValue | undefined {
    return Object.values(this.#db.prepare(`PRAGMA ${text}`).get() ?? {})[0];
  }

  resultCode(thrown: unknown): number | undefined {
    // In Jest the driver's errors are of another realm than this module's classes.
    if (!types.isNativeError(thrown) || !("errcode" in thrown)) return undefined;
    return primaryCode(thrown.errcode);
  }
}
