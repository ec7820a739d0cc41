// The entry point `langgraph-checkpoint-wasm/d1`: Cloudflare's D1.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { coreOr, type SaverOptions } from "../options.js";
import { provideAsyncLocalStorage } from "../stores/cloudflare/async-local-storage.js";
import { D1Adapter, type D1Database } from "../stores/cloudflare/d1.js";
import { StorageSaver } from "../stores/storage-saver.js";
import { core } from "./core-for-workers.js";

export type { D1Database, D1Statement } from "../stores/cloudflare/d1.js";

/** A LangGraph.js checkpointer in a D1 database. */
export class D1Saver extends StorageSaver {
  /**
   * @param db The binding. The writes of a superstep are one request, each read another.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(db: D1Database, serde?: SerializerProtocol, options: SaverOptions = {}) {
    super(new D1Adapter(db), serde, coreOr(core, options));
    provideAsyncLocalStorage();
  }
}
