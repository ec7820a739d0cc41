// The entry point `langgraph-checkpoint-wasm/bun`: SQLite through bun:sqlite.

// Programs that compile against this package may lack the driver's types; `Database` is then `any`.
// biome-ignore lint/suspicious/noTsIgnore: only this form gets there, and here they are no error.
/** @ts-ignore */
import type { Database } from "bun:sqlite";

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import type { SqliteOptions } from "../options.js";
import { BunSqliteConnection, openBunSqlite } from "../stores/sqlite/bun-sqlite.js";
import { DriverSaver } from "../stores/sqlite/driver-saver.js";
import { type Location, onOpened, type SaverClass } from "../stores/sqlite/opening.js";

export type { SqliteOptions, Synchronous, TtlOptions } from "../options.js";
export type { Location } from "../stores/sqlite/opening.js";

/** A LangGraph.js checkpointer in a SQLite database, through bun:sqlite. */
export class SqliteSaver extends DriverSaver<Database> {
  /**
   * @param db An open database. Its `synchronous` setting stays unless the options name one. If you
   *   have a transaction open on it, the saver's writes join it and last only once you commit.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(db: Database, serde?: SerializerProtocol, options: SqliteOptions = {}) {
    super(db, (open) => new BunSqliteConnection(open), serde, options);
  }

  /**
   * Opens a database file, or a new database in memory, and returns an instance of the class that
   * the method is called on. Creates the file if it is missing.
   *
   * @param location The file's path or `file:` URL, or `":memory:"`.
   * @param options The options of the saver.
   */
  static fromConnString<Saver extends SqliteSaver = SqliteSaver>(
    this: SaverClass<Database, Saver>,
    location: Location,
    options: SqliteOptions = {},
  ): Saver {
    // biome-ignore lint/complexity/noThisInStatic: a class that extends this one makes its own.
    const Class = this ?? SqliteSaver;
    return onOpened(Class, openBunSqlite, location, options);
  }
}
