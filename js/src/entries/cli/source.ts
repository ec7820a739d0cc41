// Stock databases, opened to be read only.

import type { Dialect, SqlValue, Statement } from "../../planner/adapter.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import type { Connection } from "../../stores/sqlite/connection.js";
import { failureOf } from "../../stores/sqlite/failure.js";
import { isPostgres, refuseAddress } from "./location.js";

/** How many milliseconds a read waits for a lock. */
const BUSY_MS = 5000;

/** The rows of one statement. */
type Rows = readonly (readonly SqlValue[])[];

/** A database that is only read. */
export interface Source {
  readonly dialect: Dialect;
  /** Runs statements that read, in one state of the database. Each gives its rows. */
  read(statements: readonly Statement[]): Eventually<readonly Rows[]>;
  /** Closes the database. */
  close(): Eventually<void>;
}

/** Opens a source: a file of SQLite, or a connection string of PostgreSQL. */
export async function openSource(location: string, schema: string): Promise<Source> {
  if (!isPostgres(location)) {
    refuseAddress(location);
    return new SqliteSource(await openReadOnly(location));
  }
  const { PostgresSaver } = await import("../postgres.js");
  const saver = PostgresSaver.fromConnString(location, { schema });
  return {
    dialect: { name: "postgres", schema },
    async read(statements) {
      const sets = await saver.adapter.run({ access: "read", statements });
      return sets.map(({ rows }) => rows);
    },
    close: () => saver.end(),
  };
}

/** A connection, and how to close it. */
interface Opened {
  readonly connection: Connection;
  close(): void;
}

class SqliteSource implements Source {
  readonly dialect = { name: "sqlite" } as const;
  readonly #opened: Opened;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  read(statements: readonly Statement[]): Rows[] {
    const { connection } = this.#opened;
    try {
      connection.execute("BEGIN");
      try {
        return statements.map(({ text, parameters }) => {
          return parameters.flatMap((values) => connection.query(text, values));
        });
      } finally {
        connection.execute("COMMIT");
      }
    } catch (thrown) {
      throw failureOf(connection, thrown);
    }
  }

  close(): void {
    this.#opened.close();
  }
}

/** Opens a file with better-sqlite3 if that is installed, else with Node.js's own driver. */
async function openReadOnly(path: string): Promise<Opened> {
  const installed = await import("../../stores/sqlite/better-sqlite3.js").catch(() => undefined);
  if (installed !== undefined) {
    const db = installed.openBetterSqlite3(path, { readonly: true, timeout: BUSY_MS });
    return { connection: new installed.BetterSqlite3Connection(db), close: () => db.close() };
  }
  const { NodeSqliteConnection, openNodeSqlite } = await import(
    "../../stores/sqlite/node-sqlite.js"
  );
  const db = openNodeSqlite(path, { readOnly: true, timeout: BUSY_MS });
  return { connection: new NodeSqliteConnection(db), close: () => db.close() };
}
