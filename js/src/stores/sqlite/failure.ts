// SQLite's failures as `StorageError`s.

import { CheckpointerError, StorageError, type Stored } from "../../errors.js";
import type { Connection } from "./connection.js";
import { codeOf, SQLITE_IOERR, type SqliteErrorCode } from "./result-codes.js";

const MESSAGES: Record<SqliteErrorCode, string> = {
  "storage-busy":
    "another connection held the SQLite database's lock past the deadline; try again, or raise " +
    "busyDeadlineMs",
  "storage-closed": "the SQLite database is closed; make a new saver",
  "storage-damaged": "the SQLite database is damaged; restore it from a copy",
  "storage-failed": "SQLite failed to run a statement; the cause of this error says why",
  "storage-full": "no space is left for the SQLite database; free some and try again",
  "storage-in-transaction":
    "a transaction of yours on the saver's connection kept this call waiting past the deadline; " +
    "await the calls made before BEGIN, or end the transaction sooner",
  "storage-not-a-database": "the file is not a SQLite database; name another path",
  "storage-read-only":
    "the SQLite database is read-only; open it for writing, or allow writing to the file " +
    "and its directory",
  "storage-replaced":
    "the SQLite database's file, or its write-ahead log, was deleted or replaced while it was " +
    "open, maybe by a second library of SQLite in this process; close the saver and make a new one",
  "storage-too-large":
    "a value is larger than SQLite stores (one billion bytes); store less in one channel",
  "storage-unreachable":
    "the SQLite database could not be opened; check that its directory exists and may be " +
    "written to, and that the path is a file",
};

/** The error with a code and its standard message. */
export function storageError(code: SqliteErrorCode, cause?: unknown): StorageError {
  const stored = "nothing";
  return new StorageError(
    code,
    MESSAGES[code],
    cause === undefined ? { stored } : { cause, stored },
  );
}

/**
 * The error for a call inside the caller's transaction that meets a lock. Waiting may not help
 * there.
 */
export function busyInside(): StorageError {
  const message =
    "another connection holds the SQLite database's lock, and a call inside a transaction of " +
    "yours does not wait for it; roll back, begin again with BEGIN IMMEDIATE and repeat the call";
  return new StorageError("storage-busy", message, { stored: "nothing" });
}

/** What the driver threw, as a `CheckpointerError`. */
export function failureOf(connection: Connection, thrown: unknown): CheckpointerError {
  if (thrown instanceof CheckpointerError) return thrown;
  if (!connection.open) return storageError("storage-closed", thrown);
  return storageError(codeOf(connection.resultCode(thrown)), thrown);
}

/** The same for `COMMIT`. If the device fails there, nobody knows what was stored. */
export function commitFailureOf(connection: Connection, thrown: unknown): CheckpointerError {
  if (connection.resultCode(thrown) !== SQLITE_IOERR) return failureOf(connection, thrown);
  const options = { cause: thrown, stored: "unknown" } as const;
  return new StorageError("storage-failed", MESSAGES["storage-failed"], options);
}

/** The error for a batch that used files which no other process finds. */
export function replacedFailure(stored: Stored): CheckpointerError {
  return new StorageError("storage-replaced", MESSAGES["storage-replaced"], { stored });
}

/** Whether a failure is a lock, so that waiting may help. */
export function isBusy(failure: unknown): boolean {
  return failure instanceof StorageError && failure.code === "storage-busy";
}
