import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import type { Synchronous } from "./adapters/connection.js";

/** How long a batch waits for a lock unless the options say otherwise. */
export const BUSY_DEADLINE_MS = 5000;

/** How a SQLite database is opened and used. */
export interface SqliteOptions {
  /** When a commit waits for the disk: `"full"` for a database that the saver opens. */
  readonly synchronous?: Synchronous | undefined;
  /** How long a call waits for a lock that another connection holds; 5000 when left out. */
  readonly busyDeadlineMs?: number | undefined;
  /** Serializes the values; `JsonPlusSerde` when it is left out. */
  readonly serde?: SerializerProtocol | undefined;
}
