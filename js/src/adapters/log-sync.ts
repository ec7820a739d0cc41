import fs from "node:fs";

import type { Connection } from "./connection.js";
import { storageError, unsyncedFailure } from "./failure.js";

/** The level of `synchronous` from which on a commit waits for the disk. */
const FULL = 2;

/** Told once what was committed before is on the disk, or why that is not certain. */
export type Settle = (failure?: Error) => void;

/** What a commit gave, and whether the disk has yet to get it. */
export interface Committed<T> {
  readonly value: T;
  readonly pending: boolean;
}

/**
 * Waits for the disk in SQLite's place, where `synchronous` asks for that.
 *
 * SQLite waits inside of `COMMIT`: it keeps the lock, and the event loop stands still. Here the
 * transaction is committed to the write-ahead log without waiting, and the log is synced beside
 * the event loop. One sync does for all that was committed before it began, by whichever process.
 * A checkpoint of the log syncs it first at any level but OFF, so nothing is written out of order.
 */
export class LogSync {
  readonly #connection: Connection;
  #path: string | undefined;
  /** The open log, for as long as somebody waits. */
  #log: number | undefined;
  /** Whether a sync failed: the system may have dropped what it could not write. */
  #failed = false;
  #syncing = false;
  /** Those the sync under way stands for, and those of the next one. */
  #covered: Settle[] = [];
  #waiting: Settle[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Runs what commits. Where that leaves the disk behind, `wait` MUST be called next. */
  commit<T>(run: () => T): Committed<T> {
    if (this.#connection.inTransaction) return { value: run(), pending: false };
    this.#restore();
    const level = Number(this.#connection.pragma("synchronous"));
    if (level < FULL || !this.#open()) return { value: run(), pending: false };
    this.#connection.pragma("synchronous = NORMAL");
    try {
      return { value: run(), pending: true };
    } catch (thrown) {
      this.#release();
      throw thrown;
    } finally {
      this.#connection.pragma(`synchronous = ${level}`);
    }
  }

  /** Waits for what was committed so far. */
  wait(settle: Settle): void {
    this.#waiting.push(settle);
    if (!this.#syncing) this.#sync();
  }

  /** Stops the event loop until nobody waits. */
  flush(): void {
    const log = this.#log;
    if (log === undefined) return;
    let failure: Error | undefined;
    try {
      fs.fdatasyncSync(log);
    } catch (thrown) {
      failure = this.#failure(thrown);
    }
    this.#cover();
    this.#settle(failure);
    this.#release();
  }

  #sync(): void {
    const log = this.#log;
    if (log === undefined) return;
    this.#syncing = true;
    this.#cover();
    fs.fdatasync(log, (thrown) => {
      this.#syncing = false;
      this.#settle(thrown === null ? undefined : this.#failure(thrown));
      if (this.#waiting.length > 0) this.#sync();
      else this.#release();
    });
  }

  #cover(): void {
    this.#covered.push(...this.#waiting);
    this.#waiting = [];
  }

  #settle(failure: Error | undefined): void {
    const covered = this.#covered;
    this.#covered = [];
    for (const settle of covered) settle(failure);
  }

  #failure(cause: unknown): Error {
    this.#failed = true;
    return unsyncedFailure(cause);
  }

  /** Opens the log, unless the connection has none: then waiting stays with SQLite. */
  #open(): boolean {
    if (this.#log !== undefined) return fs.fstatSync(this.#log).nlink > 0;
    this.#path ??= this.#connection.path;
    if (this.#path === "") return false;
    try {
      this.#log = fs.openSync(`${this.#path}-wal`, "r+");
      return true;
    } catch {
      // Whatever keeps the log from being opened here, SQLite can wait for the disk itself.
      return false;
    }
  }

  #release(): void {
    if (this.#log === undefined || this.#syncing || this.#waiting.length > 0) return;
    fs.closeSync(this.#log);
    this.#log = undefined;
  }

  /** After a failed sync the log is of no use to what follows: its pages go into the file. */
  #restore(): void {
    if (!this.#failed) return;
    if (Number(this.#connection.pragma("wal_checkpoint(RESTART)")) !== 0) {
      throw storageError("storage-busy");
    }
    this.#failed = false;
  }
}
