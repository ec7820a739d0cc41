import type { Synchronous } from "../../options.js";
import type { SqlValue } from "../../planner/adapter.js";

/** One connection to a SQLite database, as a driver gives it: every call runs at once. */
export interface Connection {
  /** Whether it has not been closed. */
  readonly open: boolean;
  /** Whether a transaction is open, by whomever. */
  readonly inTransaction: boolean;
  /** The database's file, `""` when it has none. */
  readonly path: string;
  /** Runs what has neither parameters nor rows. */
  execute(text: string): void;
  /** Runs a statement once, with its parameters bound to `?1`, `?2`, ..., and gives its rows. */
  query(text: string, parameters: readonly SqlValue[]): SqlValue[][];
  /** Prepares and runs a PRAGMA, as some act when they are prepared: the first value it gives. */
  pragma(text: string): SqlValue | undefined;
  /** SQLite's own result code of what the driver threw: its number, without the extension. */
  resultCode(thrown: unknown): number | undefined;
}

/** The file of a connection's database. */
export function mainFile(connection: Pick<Connection, "query">): string {
  const query = "SELECT file FROM pragma_database_list WHERE name = 'main'";
  return String(connection.query(query, [])[0]?.[0] ?? "");
}

/**
 * After how many pages of the log SQLite copies them into the file: by itself, and here. Each time
 * it waits for the disk thrice, and the event loop for it.
 */
const LOG_PAGES = { usual: 1_000, ours: 2_000 };

/** Turns a connection to what the saver needs. Done before its first batch. */
export function configure(connection: Connection, synchronous: Synchronous | undefined): void {
  if (synchronous !== undefined) {
    connection.pragma(`synchronous = ${synchronous === "normal" ? "NORMAL" : "FULL"}`);
  }
  // Setting the mode takes the file's lock, so it is left alone where it is right.
  if (connection.pragma("journal_mode") === "delete") connection.pragma("journal_mode = WAL");
  // Whoever chose another length has reasons: some copy the log elsewhere first.
  if (Number(connection.pragma("wal_autocheckpoint")) === LOG_PAGES.usual) {
    connection.pragma(`wal_autocheckpoint = ${LOG_PAGES.ours}`);
  }
}
