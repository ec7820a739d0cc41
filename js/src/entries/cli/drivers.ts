// The drivers of SQLite: better-sqlite3 if it is installed, else Node.js's own.

import type { SqliteOptions } from "../../options.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import type { StorageSaver } from "../../stores/storage-saver.js";

/** A store, and how to close it. */
export interface Opened {
  readonly saver: StorageSaver;
  close(): Eventually<unknown>;
}

/** Opens a saver on a file, which is made if it is missing. */
export async function openToWrite(path: string, options: SqliteOptions): Promise<Opened> {
  const entry = await installed();
  const saver =
    entry === undefined
      ? (await import("../node-sqlite.js")).SqliteSaver.fromConnString(path, options)
      : entry.SqliteSaver.fromConnString(path, options);
  return { saver, close: () => saver.close() };
}

/** Opens a saver on a file that is only read. */
export async function openToRead(path: string, serde: StorageSaver["serde"]): Promise<Opened> {
  const entry = await installed();
  if (entry !== undefined) {
    const { openBetterSqlite3 } = await import("../../stores/sqlite/better-sqlite3.js");
    const db = openBetterSqlite3(path, { readonly: true });
    return { saver: new entry.SqliteSaver(db, serde), close: () => db.close() };
  }
  const { SqliteSaver } = await import("../node-sqlite.js");
  const { openNodeSqlite } = await import("../../stores/sqlite/node-sqlite.js");
  const db = openNodeSqlite(path, { readOnly: true });
  return { saver: new SqliteSaver(db, serde), close: () => db.close() };
}

/** The entry for better-sqlite3; undefined if that is not installed. */
function installed() {
  return import("../sqlite.js").catch(() => undefined);
}
