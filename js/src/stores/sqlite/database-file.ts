import { readFileSync, statSync } from "node:fs";

import type { Connection } from "./connection.js";

/** Identifies a file: its device and inode, or `NONE`; undefined if that cannot be found out. */
type Identity = string | undefined;

const NONE = "none";

/** So many repetitions fill a few of SQLite's largest pages. */
const TOKENS = 20_000;

/**
 * The files of an open database, as they were when first seen.
 *
 * If a file is deleted or replaced, SQLite goes on with the old one, which no other process finds.
 * The same happens when a second library of SQLite in this process closes the database: it drops
 * the locks of the first one too, and deletes the log.
 */
export class DatabaseFile {
  readonly #connection: Connection;
  readonly #path: string;
  #file: Identity;
  /** The write-ahead log and its index. SQLite creates them when it first needs them. */
  #beside: { [suffix in Beside]?: Identity } = {};

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#path = connection.path;
    // A database in memory has no file.
    this.#file = this.#path === "" ? undefined : found(this.#path);
  }

  /**
   * Whether reads and writes use the files that have the database's name.
   *
   * Asked before a write too, as one through another index than other processes use may overwrite
   * what they wrote. Makes as few system calls as each case allows.
   */
  isInPlace(when: "before a write" | "after a write" | "after a read"): boolean {
    if (this.#path === "") return true;
    const isMissed = (suffix: Beside) => {
      const file = found(this.#path + suffix);
      const known = this.#beside[suffix];
      // SQLite does not remove these files while the database is open.
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

  /** Whether the connection itself replaced the files, as it does when its journal mode changes. */
  #isOwn(): boolean {
    if (this.#connection.pragma("journal_mode") === "wal") {
      const [log, index] = [`${this.#path}-wal`, `${this.#path}-shm`];
      if (isSame(this.#beside["-wal"], found(log))) return false;
      // The write comes first: SQLite creates the files when it needs them.
      if (!writesInto(this.#connection, log) || found(index) === NONE) return false;
    }
    this.#beside = {};
    return true;
  }
}

/** The suffixes of the log and of its index. */
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
 * Whether a connection writes into this log. Writes a token, more of it than SQLite may keep in
 * memory, looks for it in the log, and rolls back. (The index cannot be read like that: closing it
 * would drop SQLite's locks.)
 */
function writesInto(connection: Connection, log: string): boolean {
  if (connection.inTransaction) return false;
  const token = `langgraph-checkpoint-wasm ${Math.random()} `;
  const usual = connection.pragma("cache_size");
  // Throws if another connection has the lock.
  connection.execute("BEGIN IMMEDIATE");
  try {
    connection.pragma("cache_size = 1");
    connection.execute("CREATE TABLE lg_token (token)");
    connection.query("INSERT INTO lg_token VALUES (?1)", [token.repeat(TOKENS)]);
    return readFileSync(log).includes(token);
  } catch {
    // If it cannot be found out, nothing is acknowledged.
    return false;
  } finally {
    if (connection.inTransaction) connection.execute("ROLLBACK");
    connection.pragma(`cache_size = ${usual}`);
  }
}
