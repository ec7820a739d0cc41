import { existsSync } from "node:fs";

import { StorageError } from "../../errors.js";
import { UsageError } from "./command.js";

/** Whether a location is a connection string of PostgreSQL. */
export function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/** Refuses what names no file and looks like an address, which may have a password. */
export function refuseAddress(location: string): void {
  const isAddress = /^[^:]{2,}:(\/\/|.*@)/s.test(location);
  if (!isAddress || isPostgres(location) || existsSync(location)) return;
  throw new UsageError(
    "there is no file of this name, and addresses are postgresql://USER@HOST/DATABASE",
  );
}

/** What a store's failure is, with the file that it is about: a command may have two. */
export function placed(location: string, thrown: unknown): unknown {
  if (!(thrown instanceof StorageError) || isPostgres(location)) return thrown;
  if (named.has(thrown)) return thrown;
  named.add(thrown);
  return Object.assign(thrown, { message: `${location}: ${thrown.message}` });
}

const named = new WeakSet<StorageError>();
