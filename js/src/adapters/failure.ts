// SQLite's failures as the storage's.

import { CheckpointerError, StorageError, type StorageErrorCode } from "../errors.js";
import type { Connection } from "./connection.js";

const SQLITE_IOERR = 10;

/** By SQLite's result code. The last is a race for the log's locks, which passes like a lock. */
const CODES: ReadonlyMap<number, StorageErrorCode> = new Map([
  [3, "storage-unreachable"],
  [5, "storage-busy"],
  [6, "storage-busy"],
  [8, "storage-read-only"],
  [11, "storage-damaged"],
  [13, "storage-full"],
  [14, "storage-unreachable"],
  [18, "storage-too-large"],
  [26, "storage-not-a-database"],
  [15, "storage-busy"],
]);

const MESSAGES: Record<StorageErrorCode, string> = {
  "storage-busy":
    "another connection held the SQLite database's lock past the deadline; try again, or raise " +
    "busyDeadlineMs",
  "storage-closed": "the SQLite database is closed; make a new saver",
  "storage-damaged": "the SQLite database is damaged; restore it from a copy",
  "storage-failed": "SQLite failed to run a statement; the cause of this error says why",
  "storage-full": "no space is left for the SQLite database; free some and try again",
  "storage-not-a-database": "the file is not a SQLite database; name another path",
  "storage-read-only":
    "the SQLite database may only be read; open it for writing, or allow writing to the file " +
    "and its directory",
  "storage-too-large":
    "a value is larger than SQLite stores (one billion bytes); store less in one channel",
  "storage-unreachable":
    "the SQLite database could not be opened; check that its directory exists and may be " +
    "written to",
};

/** A failure of a kind. */
export function storageError(code: StorageErrorCode, cause?: unknown): StorageError {
  return new StorageError(code, MESSAGES[code], cause === undefined ? {} : { cause });
}

/** What the driver threw, as the storage's failure. */
export function failureOf(connection: Connection, thrown: unknown): CheckpointerError {
  if (thrown instanceof CheckpointerError) return thrown;
  if (!connection.open) return storageError("storage-closed", thrown);
  const code = CODES.get(connection.resultCode(thrown) ?? -1);
  return storageError(code ?? "storage-failed", thrown);
}

/** The same for `COMMIT`, where a failing device leaves it open what happened. */
export function commitFailureOf(connection: Connection, thrown: unknown): CheckpointerError {
  if (connection.resultCode(thrown) !== SQLITE_IOERR) return failureOf(connection, thrown);
  return unknownFailure(MESSAGES["storage-failed"], thrown);
}

/** The failure of what was committed and may not be on the disk. */
export function unsyncedFailure(cause: unknown): CheckpointerError {
  return unknownFailure(
    "the SQLite database's log could not be synced to the disk; check the disk",
    cause,
  );
}

function unknownFailure(message: string, cause: unknown): CheckpointerError {
  return new StorageError("storage-failed", message, { cause, stored: "unknown" });
}

/** Whether waiting may help. */
export function isBusy(failure: unknown): boolean {
  return failure instanceof StorageError && failure.code === "storage-busy";
}
