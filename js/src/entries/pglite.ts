// The entry point `langgraph-checkpoint-wasm/pglite`: PostgreSQL in this process.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import type { PostgresOptions } from "../stores/postgres/options.js";
import { type PGliteDatabase, PGliteDriver } from "../stores/postgres/pglite.js";
import { PostgresDriverSaver } from "../stores/postgres/saver.js";

export type { PostgresOptions } from "../stores/postgres/options.js";
export type {
  PGliteDatabase,
  PGliteQueryOptions,
  PGliteTransaction,
} from "../stores/postgres/pglite.js";

/** A LangGraph.js checkpointer in a database of PGlite. */
export class PostgresSaver extends PostgresDriverSaver {
  /**
   * @param database A database of PGlite. `end` of the saver closes it.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(database: PGliteDatabase, serde?: SerializerProtocol, options: PostgresOptions = {}) {
    super(() => new PGliteDriver(database), serde, options);
  }
}
