// The entry point `langgraph-checkpoint-wasm/postgres`: PostgreSQL through `pg`.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import pg from "pg";

import { InvalidInputError } from "../errors.js";
import { checkOptions, shared } from "../options.js";
import { sharedPlanner } from "../planner/shared-planner.js";
import { DEADLINE_MS, POSTGRES, type PostgresOptions, SCHEMA } from "../stores/postgres/options.js";
import { PostgresAdapter } from "../stores/postgres/pg.js";
import type { PostgresPool } from "../stores/postgres/pool.js";
import { StorageSaver } from "../stores/storage-saver.js";

export type { PostgresOptions } from "../stores/postgres/options.js";
export type {
  PostgresClient,
  PostgresPool,
  PostgresQuery,
  PostgresResult,
} from "../stores/postgres/pool.js";

/** How sessions are named in `pg_stat_activity`, unless the connection string says otherwise. */
const APPLICATION = "langgraph-checkpoint-wasm";

/** A LangGraph.js checkpointer in a PostgreSQL database. */
export class PostgresSaver extends StorageSaver {
  readonly #adapter: PostgresAdapter;
  readonly #pool: PostgresPool;

  /**
   * @param pool A pool of `pg`. With its option `pipeline`, every batch is one round trip.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(pool: PostgresPool, serde?: SerializerProtocol, options: PostgresOptions = {}) {
    checkOptions(options, POSTGRES);
    if (typeof pool?.connect !== "function") {
      const what = "the pool is not one of pg; fromConnString makes one of a connection string";
      throw new InvalidInputError("invalid-database", what);
    }
    const { schema = SCHEMA, deadlineMs = DEADLINE_MS } = options;
    const adapter = new PostgresAdapter(pool, { schema, deadlineMs });
    sharedPlanner(adapter.dialect, options.core).open();
    super(adapter, serde ?? options.serde, shared(options));
    this.#adapter = adapter;
    this.#pool = pool;
  }

  /**
   * Makes a pool, and a saver on it. Nothing is sent before the first call.
   *
   * @param connString A connection string of PostgreSQL.
   * @param options The options of the saver.
   */
  static fromConnString(connString: string, options: PostgresOptions = {}): PostgresSaver {
    const pool = new pg.Pool({
      connectionString: connString,
      fallback_application_name: APPLICATION,
      // A process may end while connections are idle.
      allowExitOnIdle: true,
      keepAlive: true,
      pipeline: true,
    } as pg.PoolConfig);
    return new PostgresSaver(pool, undefined, options);
  }

  /** Waits for the calls under way and ends the pool. Later calls are refused. */
  async end(): Promise<void> {
    await this.callsStarted();
    await this.#adapter.end();
    await this.#pool.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
