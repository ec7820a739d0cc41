import { statSync } from "node:fs";

import type { Connection } from "./connection.js";

/**
 * The file of an open database, and its write-ahead log, as they were found.
 *
 * Once a file has been deleted or replaced, SQLite goes on with the one that nobody finds any
 * more. The same happens where a second library of SQLite in this process closes the database:
 * that takes the locks of the first one along, and the log is deleted.
 */
export class DatabaseFile {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #file: string | undefined;
  #log: string | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#path = connection.path;
    this.#file = found(this.#path);
  }

  /** Whether what was committed, or read, is in the files of that name. */
  isInPlace(): boolean {
    if (this.#path === "") return true;
    if (found(this.#path) !== this.#file) return false;
    const log = found(`${this.#path}-wal`);
    // SQLite makes the log when it first needs one, and leaves it there while it is open.
    this.#log ??= log;
    if (log === this.#log) return true;
    if (this.#connection.pragma("journal_mode") === "wal") return false;
    this.#log = undefined;
    return true;
  }
}

/** What tells a file from every other one; nothing where there is none. */
function found(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  return file && `${file.dev} ${file.ino}`;
}
