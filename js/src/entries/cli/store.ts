// A store of this package, opened for a command.

import { existsSync } from "node:fs";
import { StorageError } from "../../errors.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import type { StorageSaver } from "../../stores/storage-saver.js";
import { UsageError } from "./command.js";
import { asData } from "./data.js";
import { isPostgres } from "./location.js";
import { isAnsweredYes, isAtTerminal } from "./terminal.js";

/** A store, and how to close it. */
export interface Opened {
  readonly saver: StorageSaver;
  close(): Eventually<unknown>;
}

/** Runs something on a store that exists, and closes the store. */
export async function onStore<T>(
  location: string,
  schema: string,
  access: "read" | "write",
  run: (saver: StorageSaver) => Promise<T>,
): Promise<T> {
  const { saver, close } = await open(location, schema, access);
  try {
    return await run(saver);
  } catch (thrown) {
    // Only making the tables writes to a store that is read.
    const isMissing = thrown instanceof StorageError && thrown.code === "storage-read-only";
    if (access === "write" || !isMissing) throw thrown;
    throw new UsageError(
      `${location} has no store of this package; take over one of LangGraph's own by import`,
    );
  } finally {
    await close();
  }
}

async function open(location: string, schema: string, access: "read" | "write"): Promise<Opened> {
  if (isPostgres(location)) {
    const { PostgresSaver } = await import("../postgres.js");
    const saver = PostgresSaver.fromConnString(location, { schema, serde: AS_DATA });
    return { saver, close: () => saver.end() };
  }
  if (!existsSync(location)) {
    throw new StorageError("storage-unreachable", `there is no file ${location}`, {
      stored: "nothing",
    });
  }
  const installed = await import("../sqlite.js").catch(() => undefined);
  if (installed === undefined) {
    const { SqliteSaver } = await import("../node-sqlite.js");
    const saver = SqliteSaver.fromConnString(location, { serde: AS_DATA });
    return { saver, close: () => saver.close() };
  }
  if (access === "write") {
    const saver = installed.SqliteSaver.fromConnString(location, { serde: AS_DATA });
    return { saver, close: () => saver.close() };
  }
  const { default: Database } = await import("better-sqlite3");
  const db = new Database(location, { readonly: true });
  return { saver: new installed.SqliteSaver(db, AS_DATA), close: () => db.close() };
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
