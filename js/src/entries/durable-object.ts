// The entry point `langgraph-checkpoint-wasm/durable-object`: SQLite in a Durable Object.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { coreOr, type SaverOptions } from "../options.js";
import { provideAsyncLocalStorage } from "../stores/cloudflare/async-local-storage.js";
import {
  DurableObjectAdapter,
  type DurableObjectSql,
  type DurableObjectStorage,
} from "../stores/cloudflare/durable-object.js";
import { StorageSaver } from "../stores/storage-saver.js";
import { core } from "./core-for-workers.js";

export type {
  DurableObjectSql,
  DurableObjectStorage,
} from "../stores/cloudflare/durable-object.js";

/** A LangGraph.js checkpointer in the SQLite database of a Durable Object. */
export class DurableObjectSaver extends StorageSaver {
  /**
   * @param storage `ctx.storage`. If you pass `ctx.storage.sql` instead, there are no transactions:
   *   what a failed call has written is not undone, though it is never half a checkpoint.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(
    storage: DurableObjectStorage | DurableObjectSql,
    serde?: SerializerProtocol,
    options: SaverOptions = {},
  ) {
    super(new DurableObjectAdapter(storage), serde, coreOr(core, options));
    provideAsyncLocalStorage();
  }
}
