// The entry point `langgraph-checkpoint-wasm/node-sqlite`: SQLite through node:sqlite, for Node.js
// 22.16 and newer.

import type { DatabaseSync } from "node:sqlite";

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import type { SqliteOptions } from "../options.js";
import { DriverSaver } from "../stores/sqlite/driver-saver.js";
import { NodeSqliteConnection, openNodeSqlite } from "../stores/sqlite/node-sqlite.js";
import { type Location, onOpened, type SaverClass } from "../stores/sqlite/opening.js";

export type { SqliteOptions, Synchronous, TtlOptions } from "../options.js";
export type { Location } from "../stores/sqlite/opening.js";

/** A LangGraph.js checkpointer in a SQLite database, through node:sqlite. */
export class SqliteSaver extends DriverSaver<DatabaseSync> {
  /**
   * @param db An open database. Its `synchronous` setting stays unless the options name one. If you
   *   have a transaction open on it, the saver's writes join it and last only once you commit.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(db: DatabaseSync, serde?: SerializerProtocol, options: SqliteOptions = {}) {
    super(db, (open) => new NodeSqliteConnection(open), serde, options);
  }

  /**
   * Opens a database file, or a new database in memory, and returns an instance of the class that
   * the method is called on. Creates the file if it is missing.
   *
   * @param location The file's path or `file:` URL, or `":memory:"`.
   * @param options The options of the saver.
   */
  static fromConnString<Saver extends SqliteSaver = SqliteSaver>(
    this: SaverClass<DatabaseSync, Saver>,
    location: Location,
    options: SqliteOptions = {},
  ): Saver {
    // biome-ignore lint/complexity/noThisInStatic: a class that extends this one makes its own.
    const Class = this ?? SqliteSaver;
    return onOpened(Class, openNodeSqlite, location, options);
  }
}
