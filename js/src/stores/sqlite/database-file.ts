import { statSync } from "node:fs";

import type { Connection } from "./connection.js";

/** What tells a file from every other one, or that there is none; nothing where nobody can say. */
type Identity = string | undefined;

const NONE = "none";

/**
 * The files of an open database, as they were found.
 *
 * Once a file has been deleted or replaced, SQLite goes on with the one that nobody finds any
 * more. The same happens where a second library of SQLite in this process closes the database:
 * that takes the locks of the first one along, and the log is deleted.
 */
export class DatabaseFile {
  readonly #connection: Connection;
  readonly #path: string;
  #file: Identity;
  /** The write-ahead log and its index; SQLite makes them when it first needs them. */
  #beside: Identity[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#path = connection.path;
    // A database in memory has none.
    this.#file = this.#path === "" ? undefined : found(this.#path);
  }

  /** Whether what was committed, or read, is in the files of that name. */
  isInPlace(): boolean {
    if (this.#path === "") return true;
    const file = found(this.#path);
    if (!isSame(this.#file, file)) return false;
    this.#file ??= file;
    const beside = BESIDE.map((suffix) => found(this.#path + suffix));
    // SQLite leaves them there while the database is open.
    if (beside.every((file, index) => isSame(this.#beside[index], file))) {
      this.#beside = beside.map((file, index) => {
        return file === NONE ? undefined : (file ?? this.#beside[index]);
      });
      return true;
    }
    if (this.#connection.pragma("journal_mode") === "wal") return false;
    this.#beside = [];
    return true;
  }
}

/** What the names of the log and of its index end with. */
const BESIDE = ["-wal", "-shm"] as const;

function isSame(known: Identity, file: Identity): boolean {
  return known === undefined || file === undefined || known === file;
}

function found(path: string): Identity {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    return file === undefined ? NONE : `${file.dev} ${file.ino}`;
  } catch (thrown) {
    const code = String((thrown as { code?: unknown }).code);
    return /^(ENOENT|ENOTDIR|ELOOP)$/.test(code) ? NONE : undefined;
  }
}
