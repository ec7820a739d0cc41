import { existsSync } from "node:fs";

import { StorageError } from "../../errors.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import { UsageError } from "./command.js";

/** Whether a location is a connection string of PostgreSQL. */
export function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/** Refuses a file that is missing: opening it would make it, or say less. */
export function checkExists(path: string): void {
  refuseAddress(path);
  if (existsSync(path)) return;
  throw new StorageError("storage-unreachable", `there is no file ${path}`, { stored: "nothing" });
}

/** Refuses what names no file and looks like an address, which may have a password. */
export function refuseAddress(location: string): void {
  const isAddress = /^[^:]{2,}:(\/\/|.*@)/s.test(location);
  if (!isAddress || isPostgres(location) || existsSync(location)) return;
  throw new UsageError(
    "there is no file of this name, and addresses are postgresql://USER@HOST/DATABASE",
  );
}

/** Runs something on a store. Its failures name the file: a command may have two. */
export async function named<T>(location: string, run: () => Eventually<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    const isNamed = !(thrown instanceof StorageError) || thrown.message.includes(location);
    if (isNamed || isPostgres(location)) throw thrown;
    throw Object.assign(thrown, { message: `${location}: ${thrown.message}` });
  }
}
