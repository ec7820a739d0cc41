import type { Synchronous } from "../../options.js";
import type { SqlValue } from "../../planner/adapter.js";
import { SQLITE_READONLY } from "./result-codes.js";

/** A connection to a SQLite database through a driver. Every method is synchronous. */
export interface Connection {
  /** False once it is closed. */
  readonly open: boolean;
  /** Whether a transaction is open, the caller's or ours. */
  readonly inTransaction: boolean;
  /** The path of the database's file; `""` for a database in memory. */
  readonly path: string;
  /** Runs a statement that has neither parameters nor rows. */
  execute(text: string): void;
  /** Runs a statement once, with its parameters bound to `?1`, `?2`, ..., and returns its rows. */
  query(text: string, parameters: readonly SqlValue[]): SqlValue[][];
  /**
   * Runs a PRAGMA and returns the first value it gives. Not kept prepared, as some PRAGMAs act when
   * they are prepared.
   */
  pragma(text: string): SqlValue | undefined;
  /**
   * SQLite's result code in an error of the driver's, without the extension; undefined if there is
   * none.
   */
  resultCode(thrown: unknown): number | undefined;
}

/** The path of the main database's file; `""` for a database in memory. */
export function mainFile(connection: Pick<Connection, "query">): string {
  const query = "SELECT file FROM pragma_database_list WHERE name = 'main'";
  return String(connection.query(query, [])[0]?.[0] ?? "");
}

/**
 * After how many pages SQLite copies its log into the file: by default, and here. Each copy waits
 * for the disk three times, and blocks the event loop meanwhile.
 */
const LOG_PAGES = { usual: 1_000, ours: 2_000 };

/** Sets a connection up for the saver, before its first batch. */
export function configure(connection: Connection, synchronous: Synchronous | undefined): void {
  if (synchronous !== undefined) {
    connection.pragma(`synchronous = ${synchronous === "normal" ? "NORMAL" : "FULL"}`);
  }
  // Only a file without any page can be made for it. One that has pages, or another setting, stays.
  if (Number(connection.pragma("page_count")) === 0) {
    if (Number(connection.pragma("auto_vacuum")) === 0) {
      connection.pragma("auto_vacuum = INCREMENTAL");
    }
  }
  // Setting the mode takes the file's lock, so it is only set if it has to change.
  if (connection.pragma("journal_mode") === "delete") useLog(connection);
  // Another length was set on purpose, for example to copy the log elsewhere first.
  if (Number(connection.pragma("wal_autocheckpoint")) === LOG_PAGES.usual) {
    connection.pragma(`wal_autocheckpoint = ${LOG_PAGES.ours}`);
  }
}

/** Changes to a write-ahead log. A connection that may only read, reads without one. */
function useLog(connection: Connection): void {
  try {
    connection.pragma("journal_mode = WAL");
  } catch (thrown) {
    if (connection.resultCode(thrown) !== SQLITE_READONLY) throw thrown;
  }
}
