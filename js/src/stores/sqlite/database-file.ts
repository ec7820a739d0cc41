import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { timers } from "../../platform/timers.js";
import type { Connection } from "./connection.js";

/** Identifies a file: its device and inode, or `NONE`; undefined if that cannot be found out. */
type Identity = string | undefined;

const NONE = "none";

/** The suffixes of the log and of its index. */
const BESIDE = ["-wal", "-shm"] as const;

/**
 * After this many milliseconds a file system's time has gone on. Those that have fractions of a
 * millisecond follow the system's clock, whose ticks take 10; the coarsest, FAT, has two seconds.
 */
const TICK_MS = { fine: 100, coarse: 3000 };

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
  #beside: { [suffix in (typeof BESIDE)[number]]?: Identity } = {};
  /** The folder's state in which all files were found in place. */
  #folder: Identity;

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
   * what they wrote. While the folder does not change, it is all that is looked at: on Linux, a
   * look at the log makes the next sync of it slower.
   */
  isInPlace(): boolean {
    if (this.#path === "") return true;
    const folder = settled(dirname(this.#path));
    if (folder !== undefined && folder === this.#folder) return true;
    const file = found(this.#path);
    this.#folder = undefined;
    if (!isSame(this.#file, file)) return false;
    this.#file ??= file;
    // Files that the connection itself replaced are looked at again the next time, and known then.
    if (!this.#areBesideIt()) return this.#isOwn();
    this.#folder = folder;
    return true;
  }

  /** Whether the log and its index are the known ones. Remembers those seen for the first time. */
  #areBesideIt(): boolean {
    return BESIDE.every((suffix) => {
      const file = found(this.#path + suffix);
      const known = this.#beside[suffix];
      // SQLite does not remove these files while the database is open.
      if (known === undefined && file !== NONE) this.#beside[suffix] = file;
      return isSame(known, file);
    });
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

/**
 * Identifies a state of a folder: deleting, replacing or making a file in it changes this.
 * Undefined if that cannot be found out, or if the folder changed so recently that another change
 * may have the same time.
 */
function settled(path: string): Identity {
  try {
    // Some file systems change one of the two times, and `utimes` sets only one back.
    const { dev, ino, ctimeMs, mtimeMs } = statSync(path);
    const changed = Math.max(ctimeMs, mtimeMs);
    const tick = Number.isInteger(changed) ? TICK_MS.coarse : TICK_MS.fine;
    return timers.now() - changed > tick ? `${dev} ${ino} ${ctimeMs} ${mtimeMs}` : undefined;
  } catch {
    return undefined;
  }
}

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
