import { existsSync } from "node:fs";

import { StorageError } from "../../errors.js";

/** Whether a location is a connection string of PostgreSQL. */
export function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/** Refuses a file that is missing: opening it would make it, or say less. */
export function checkExists(path: string): void {
  if (existsSync(path)) return;
  throw new StorageError("storage-unreachable", `there is no file ${path}`, { stored: "nothing" });
}
