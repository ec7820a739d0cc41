import { readFileSync, statSync } from "node:fs";

import type { Connection } from "./connection.js";

/** What tells a file from every other one, or that there is none; nothing where nobody can say. */
type Identity = string | undefined;

const NONE = "none";

/** As often as fills a few of SQLite's largest pages. */
const TOKENS = 20_000;

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
  #beside: { [suffix in Beside]?: Identity } = {};

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#path = connection.path;
    // A database in memory has none.
    this.#file = this.#path === "" ? undefined : found(this.#path);
  }

  /**
   * Whether what is read, or written, is in the files of that name. Asked before a write, as one
   * by another index than the others have may overwrite what they wrote, and after it; the system
   * is asked no more than that takes.
   */
  isInPlace(when: "before a write" | "after a write" | "after a read"): boolean {
    if (this.#path === "") return true;
    const isMissed = (suffix: Beside) => {
      const file = found(this.#path + suffix);
      const known = this.#beside[suffix];
      // SQLite leaves them there while the database is open.
      if (!isSame(known, file)) return true;
      if (known === undefined && file !== NONE) this.#beside[suffix] = file;
      return false;
    };
    if (when !== "before a write") {
      const file = found(this.#path);
      if (!isSame(this.#file, file)) return false;
      this.#file ??= file;
      if (isMissed("-wal")) return this.#isOwn();
    }
    return when === "after a write" || !isMissed("-shm") || this.#isOwn();
  }

  /** Whether the connection itself made other files, as it does where its journal mode changes. */
  #isOwn(): boolean {
    if (this.#connection.pragma("journal_mode") === "wal") {
      const [log, index] = [`${this.#path}-wal`, `${this.#path}-shm`];
      if (isSame(this.#beside["-wal"], found(log))) return false;
      // Writing comes first, as SQLite makes the files when it needs them.
      if (!writesInto(this.#connection, log) || found(index) === NONE) return false;
    }
    this.#beside = {};
    return true;
  }
}

/** What the names of the log and of its index end with. */
type Beside = "-wal" | "-shm";

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

/**
 * Whether a connection writes into the log of that name: it writes a token, more of it than it may
 * keep in memory, and takes it back. (The index cannot be read so: that takes SQLite's locks away.)
 */
function writesInto(connection: Connection, log: string): boolean {
  if (connection.inTransaction) return false;
  const token = `langgraph-checkpoint-wasm ${Math.random()} `;
  const usual = connection.pragma("cache_size");
  // It throws where another connection has the lock.
  connection.execute("BEGIN IMMEDIATE");
  try {
    connection.pragma("cache_size = 1");
    connection.execute("CREATE TABLE lg_token (token)");
    connection.query("INSERT INTO lg_token VALUES (?1)", [token.repeat(TOKENS)]);
    return readFileSync(log).includes(token);
  } catch {
    // Where it cannot be found out, nothing is acknowledged.
    return false;
  } finally {
    if (connection.inTransaction) connection.execute("ROLLBACK");
    connection.pragma(`cache_size = ${usual}`);
  }
}
