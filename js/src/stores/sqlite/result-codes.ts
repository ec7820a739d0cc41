// SQLite's result codes, as far as a store tells them apart.

import type { StorageErrorCode } from "../../errors.js";

/** The code of a failing device. */
export const SQLITE_IOERR = 10;

/** Codes have an extension above this byte. */
const PRIMARY = 0xff;

/** The last is a race for the log's locks, which passes like a lock. */
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

/** A result code without its extension; undefined for what is no number. */
export function primaryCode(code: unknown): number | undefined {
  return typeof code === "number" ? code & PRIMARY : undefined;
}

/** What the failure of a result code is called. */
export function codeOf(primary: number | undefined): StorageErrorCode {
  return CODES.get(primary ?? -1) ?? "storage-failed";
}
