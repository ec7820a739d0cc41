// The entry point `langgraph-checkpoint-wasm/neon`: PostgreSQL over HTTP.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { NeonDriver, type NeonQueryFunction } from "../stores/postgres/neon.js";
import type { PostgresOptions } from "../stores/postgres/options.js";
import { PostgresDriverSaver } from "../stores/postgres/saver.js";

export type { NeonQueryFunction, NeonQueryOptions } from "../stores/postgres/neon.js";
export type { PostgresOptions } from "../stores/postgres/options.js";

/** A LangGraph.js checkpointer in a PostgreSQL database, with an HTTP request for each batch. */
export class PostgresSaver extends PostgresDriverSaver {
  /**
   * @param sql What `neon(...)` of `@neondatabase/serverless` returns.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(sql: NeonQueryFunction, serde?: SerializerProtocol, options: PostgresOptions = {}) {
    super(() => new NeonDriver(sql), serde, options);
  }
}
