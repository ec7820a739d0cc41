// A store of this package, opened for a command.

import { existsSync, statSync } from "node:fs";
import { StorageError } from "../../errors.js";
import type { Batch, Dialect, RowSet, StorageAdapter } from "../../planner/adapter.js";
import { ownCore } from "../../stores/postgres/core.js";
import { StorageSaver } from "../../stores/storage-saver.js";
import { UsageError } from "./command.js";
import { asData } from "./data.js";
import { type Opened, openToRead, openToWrite } from "./drivers.js";
import { checkExists, isPostgres, named } from "./location.js";
import { isAnsweredYes, isAtTerminal } from "./terminal.js";

/** Runs something on a store that exists, and closes the store. */
export async function onStore<T>(
  location: string,
  schema: string,
  access: "read" | "write",
  run: (saver: StorageSaver) => Promise<T>,
): Promise<T> {
  // A command that writes must not make a store of whatever it is given.
  if (access === "write") await onStore(location, schema, "read", exists);
  const { saver, close } = await open(location, schema, access);
  try {
    if (access === "write") return await named(location, () => run(saver));
    return await run(readOnly(saver.adapter, location));
  } catch (thrown) {
    if (!(thrown instanceof NoStore)) throw thrown;
    // A connection string may contain a password.
    const what = isPostgres(location) ? "the schema" : location;
    throw new UsageError(
      `${what} has no store of this package; take over one of LangGraph's own by import`,
    );
  } finally {
    await close();
  }
}

/** Opens a store that stays as it is. It may be missing: a call on it fails with `NoStore` then. */
export async function openToLookAt(location: string, schema: string): Promise<Opened> {
  if (isPostgres(location) || existsSync(location)) {
    const { saver, close } = await open(location, schema, "read");
    return { saver: readOnly(saver.adapter, location), close };
  }
  return { saver: readOnly({ run: refuse }, location), close: () => {} };
}

function readOnly(storage: StorageAdapter, location: string): StorageSaver {
  return new StorageSaver(new ReadOnly(storage, location), AS_DATA, { core: ownCore() });
}

function refuse(): never {
  throw new NoStore();
}

/** Looks for the tables, and reads nothing from them. */
async function exists(saver: StorageSaver): Promise<void> {
  await saver.threads({ limit: 0 });
}

async function open(location: string, schema: string, access: "read" | "write"): Promise<Opened> {
  if (isPostgres(location)) {
    const { PostgresSaver } = await import("../postgres.js");
    const saver = PostgresSaver.fromConnString(location, { schema, serde: AS_DATA });
    return { saver, close: () => saver.end() };
  }
  return named(location, () => {
    checkExists(location);
    if (access === "read") return openToRead(location, AS_DATA);
    return openToWrite(location, { serde: AS_DATA });
  });
}

/** Storage that is only read. */
class ReadOnly implements StorageAdapter {
  // Each batch has a deadline of its own.
  readonly deadlineMs = Number.POSITIVE_INFINITY;
  readonly dialect: Dialect;
  readonly #storage: StorageAdapter;
  readonly #location: string;

  constructor(storage: StorageAdapter, location: string) {
    this.dialect = storage.dialect ?? { name: "sqlite" };
    this.#storage = storage;
    this.#location = location;
  }

  async run(batch: Batch): Promise<RowSet[]> {
    // Only making the tables writes to a store that is read, and preparing an empty file for them.
    if (batch.access === "write") refuse();
    try {
      return await named(this.#location, () => this.#storage.run(batch));
    } catch (thrown) {
      if (isEmpty(this.#location)) refuse();
      throw thrown;
    }
  }
}

/** Whether a location is a file that nothing was written to: SQLite would have to, to read it. */
function isEmpty(location: string): boolean {
  return !isPostgres(location) && statSync(location, { throwIfNoEntry: false })?.size === 0;
}

/** The tables are missing, or something would be written. */
export class NoStore extends StorageError {
  constructor() {
    super("storage-read-only", "there are no tables, and none are made", { stored: "nothing" });
  }
}

/** Asks at a terminal. Elsewhere the answer has to be in the command: `--yes`. */
export async function isMeant(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!isAtTerminal()) throw new UsageError("this removes data: add --yes");
  return isAnsweredYes(question);
}

/** Reads values as data. */
const AS_DATA = {
  async dumpsTyped(value: unknown): Promise<[string, Uint8Array]> {
    return ["json", new TextEncoder().encode(JSON.stringify(value))];
  },
  async loadsTyped(kind: string, bytes: Uint8Array | string): Promise<unknown> {
    return asData(kind, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  },
};
