// The result codes of SQLite that a store distinguishes.

import type { StorageErrorCode } from "../../errors.js";

/** The codes of SQLite's failures. */
export type SqliteErrorCode = Exclude<StorageErrorCode, "storage-timeout">;

/** The code of a failing device. */
export const SQLITE_IOERR = 10;
/** The code of a database that may only be read. */
export const SQLITE_READONLY = 8;

/** The low byte of a result code. The extension is above it. */
const PRIMARY = 0xff;

/** 15, `SQLITE_PROTOCOL`, is a race for the log's locks. It passes like a lock. */
const CODES: ReadonlyMap<number, SqliteErrorCode> = new Map([
  [3, "storage-unreachable"],
  [5, "storage-busy"],
  [6, "storage-busy"],
  [SQLITE_READONLY, "storage-read-only"],
  [11, "storage-damaged"],
  [13, "storage-full"],
  [14, "storage-unreachable"],
  [18, "storage-too-large"],
  [26, "storage-not-a-database"],
  [15, "storage-busy"],
]);

/** A result code without its extension; undefined if `code` is not a number. */
export function primaryCode(code: unknown): number | undefined {
  return typeof code === "number" ? code & PRIMARY : undefined;
}

/** The error code for a result code. */
export function codeOf(primary: number | undefined): SqliteErrorCode {
  return CODES.get(primary ?? -1) ?? "storage-failed";
}
