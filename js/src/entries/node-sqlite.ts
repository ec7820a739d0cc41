// The entry point `langgraph-checkpoint-wasm/node-sqlite`: SQLite through node:sqlite, which
// Node.js has from version 22.16 on.

import type { DatabaseSync } from "node:sqlite";

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import type { SqliteOptions } from "../options.js";
import { DriverSaver } from "../stores/sqlite/driver-saver.js";
import { NodeSqliteConnection, openNodeSqlite } from "../stores/sqlite/node-sqlite.js";
import { type Location, onOpened, type SaverClass } from "../stores/sqlite/opening.js";

export type { SqliteOptions, Synchronous } from "../options.js";
export type { Location } from "../stores/sqlite/opening.js";

/** A LangGraph.js checkpointer in a SQLite database, through node:sqlite. */
export class SqliteSaver extends DriverSaver<DatabaseSync> {
  /**
   * @param db An open database. Its `synchronous` stays as it is unless the options name one. If
   *   you have a transaction open on it, the saver's writes join that, and last when you commit.
   * @param serde Serializes the values; `JsonPlusSerde` when it is left out.
   */
  constructor(db: DatabaseSync, serde?: SerializerProtocol, options: SqliteOptions = {}) {
    super(db, (open) => new NodeSqliteConnection(open), serde, options);
  }

  /**
   * Opens the database in a file, which is made where it is missing, or a new one in memory. Makes
   * an instance of the class that it is called on.
   *
   * @param location The file's path or `file:` URL, or `":memory:"`.
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
