// The entry point `langgraph-checkpoint-wasm/postgres-js`: PostgreSQL through postgres.js.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { PREPARING, type PreparingOptions } from "../stores/postgres/options.js";
import { PostgresJsDriver, type PostgresJsSql } from "../stores/postgres/postgres-js.js";
import { PostgresDriverSaver } from "../stores/postgres/saver.js";

export type { PostgresOptions, PreparingOptions } from "../stores/postgres/options.js";
export type {
  PostgresJsQuery,
  PostgresJsRows,
  PostgresJsSql,
  PostgresJsTransaction,
} from "../stores/postgres/postgres-js.js";

/** A LangGraph.js checkpointer in a PostgreSQL database, through postgres.js. */
export class PostgresSaver extends PostgresDriverSaver {
  /**
   * @param sql What `postgres(...)` returns. `end` of the saver ends it.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(sql: PostgresJsSql, serde?: SerializerProtocol, options: PreparingOptions = {}) {
    super(() => new PostgresJsDriver(sql, options.prepare), serde, options, PREPARING);
  }
}
