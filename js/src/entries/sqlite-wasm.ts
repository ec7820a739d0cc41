/// <reference lib="esnext.disposable" preserve="true" />

// The entry point `langgraph-checkpoint-wasm/sqlite-wasm`: SQLite's own build for browsers.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { BUSY_DEADLINE_MS, checkOptions, LOCKING, type SaverOptions, shared } from "../options.js";
import { missingCore } from "../planner/core-modules.js";
import { CORE } from "../planner/core-of-sql.js";
import { SqliteWasmAdapter, type SqliteWasmDatabase } from "../stores/sqlite/sqlite-wasm.js";
import { StorageSaver } from "../stores/storage-saver.js";

export type { SqliteWasmDatabase, SqliteWasmStatement } from "../stores/sqlite/sqlite-wasm.js";

/** The options of a saver on a database in a browser. */
export interface SqliteWasmOptions extends SaverOptions {
  /** How many milliseconds a call waits for a lock that another tab holds. Defaults to 5000. */
  readonly busyDeadlineMs?: number | undefined;
  /** Serializes the values. Defaults to `JsonPlusSerde`. */
  readonly serde?: SerializerProtocol | undefined;
}

/** A LangGraph.js checkpointer in a database of `@sqlite.org/sqlite-wasm`. */
export class SqliteWasmSaver extends StorageSaver {
  readonly #adapter: SqliteWasmAdapter;

  private constructor(adapter: SqliteWasmAdapter, options: SqliteWasmOptions) {
    super(adapter, options.serde, shared(options));
    this.#adapter = adapter;
  }

  /**
   * Makes a saver on an open database: `new sqlite3.oo1.OpfsDb(path)` in a worker, which persists,
   * or `new sqlite3.oo1.DB()`, in memory. Fetches and compiles the planner's core module unless the
   * options have it.
   */
  static async open(
    db: SqliteWasmDatabase,
    options: SqliteWasmOptions = {},
  ): Promise<SqliteWasmSaver> {
    checkOptions(options, LOCKING);
    const { busyDeadlineMs = BUSY_DEADLINE_MS } = options;
    const core = options.core ?? (await fetchCoreModule());
    return new SqliteWasmSaver(new SqliteWasmAdapter(db, busyDeadlineMs), { ...options, core });
  }

  /** Closes the database. */
  close(): void {
    void this.stopSweeping();
    this.#adapter.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

async function fetchCoreModule(): Promise<WebAssembly.Module> {
  // Spelled out, so that tools that gather a program's files find it.
  const url = new URL("../../generated/planner.core.wasm", import.meta.url);
  try {
    const response = await fetch(url);
    if (response.ok) return await WebAssembly.compile(await response.arrayBuffer());
    throw new TypeError(`the server answered ${response.status}`);
  } catch (thrown) {
    throw missingCore(CORE, "could not be fetched from beside the program and compiled", thrown);
  }
}
