// The entry point `langgraph-checkpoint-wasm/postgres`: PostgreSQL through `pg`.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import pg from "pg";

import { DEADLINE_MS, PREPARING, type PreparingOptions } from "../stores/postgres/options.js";
import { PgDriver, type PostgresPool } from "../stores/postgres/pg.js";
import { PostgresDriverSaver } from "../stores/postgres/saver.js";

export type { PostgresOptions, PreparingOptions } from "../stores/postgres/options.js";
export type {
  PostgresClient,
  PostgresPool,
  PostgresQuery,
  PostgresResult,
} from "../stores/postgres/pg.js";

/** How sessions are named in `pg_stat_activity`, unless the connection string says otherwise. */
const APPLICATION = "langgraph-checkpoint-wasm";

/** A LangGraph.js checkpointer in a PostgreSQL database, through `pg`. */
export class PostgresSaver extends PostgresDriverSaver {
  /**
   * @param pool A pool of `pg`, which `end` ends. With its option `pipeline`, every batch is one
   *   round trip.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(pool: PostgresPool, serde?: SerializerProtocol, options: PreparingOptions = {}) {
    super(() => new PgDriver(pool, options.prepare), serde, options, PREPARING);
  }

  /**
   * Makes a pool, and a saver on it. Nothing is sent before the first call.
   *
   * @param connString A connection string of PostgreSQL.
   * @param options The options of the saver.
   */
  static fromConnString(connString: string, options: PreparingOptions = {}): PostgresSaver {
    const pool = new pg.Pool({
      connectionString: connString,
      fallback_application_name: APPLICATION,
      // A process may end while connections are idle.
      allowExitOnIdle: true,
      keepAlive: true,
      // A server that accepts a connection and says nothing must not keep a place in the pool after
      // the deadline. Timers take no more.
      connectionTimeoutMillis: Math.min((options.deadlineMs ?? DEADLINE_MS) + 1, 2 ** 31 - 1),
      pipeline: true,
    } as pg.PoolConfig);
    return new PostgresSaver(pool, undefined, options);
  }
}
