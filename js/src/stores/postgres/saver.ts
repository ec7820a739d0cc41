import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { checkOptions, type Kinds, shared } from "../../options.js";
import { sharedPlanner } from "../../planner/shared-planner.js";
import { StorageSaver } from "../storage-saver.js";
import { PostgresAdapter } from "./adapter.js";
import { ownCore } from "./core.js";
import type { PostgresDriver } from "./driver.js";
import { DEADLINE_MS, POSTGRES, type PostgresOptions, SCHEMA } from "./options.js";

/** A LangGraph.js checkpointer in a PostgreSQL database, with any driver. */
export class PostgresDriverSaver extends StorageSaver {
  readonly #adapter: PostgresAdapter;

  constructor(
    driver: () => PostgresDriver,
    serde?: SerializerProtocol,
    options: PostgresOptions = {},
    kinds: Kinds<PostgresOptions> = POSTGRES,
  ) {
    checkOptions(options, kinds);
    const { schema = SCHEMA, deadlineMs = DEADLINE_MS, core = ownCore() } = options;
    const adapter = new PostgresAdapter(driver(), { schema, deadlineMs });
    // Checks the schema's name.
    sharedPlanner(adapter.dialect, core).open();
    super(adapter, serde ?? options.serde, { ...shared(options), core });
    this.#adapter = adapter;
  }

  /** Waits for the calls under way and closes all connections. Later calls are refused. */
  async end(): Promise<void> {
    await this.stopSweeping();
    await this.callsStarted();
    await this.#adapter.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
