import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

/** How long a batch waits for a lock unless the options say otherwise. */
export const BUSY_DEADLINE_MS = 5000;

/** What a saver may take to be unchanged, and how much it remembers. */
export interface MemoryOptions {
  /**
   * Channels whose elements you promise never to change once they are in the channel: a list's
   * items, or the values of a map, are replaced by others but never modified. An element that is
   * the same object as before is then taken to be unchanged without a look at what it holds, so a
   * modified one would not be stored.
   */
  readonly assumeImmutable?: readonly string[] | undefined;
  /**
   * About how many bytes of memory the saver takes to remember the values it last stored or read,
   * by thread; 48 MiB when it is left out, 0 to remember nothing.
   */
  readonly cacheBytes?: number | undefined;
}

/** What every saver may be told. */
export interface SaverOptions extends MemoryOptions {
  /**
   * The compiled core module of the planner, `langgraph-checkpoint-wasm/planner.core.wasm`, for
   * runtimes that read no files or compile nothing; read from this package when it is left out.
   */
  readonly core?: WebAssembly.Module | undefined;
}

/** When a commit waits for the disk. */
export type Synchronous =
  /** At every commit: what was acknowledged survives a loss of power. */
  | "full"
  /**
   * At checkpoints of the log: what was acknowledged survives the death of the process; a loss of
   * power may undo the last commits, and never damages the file.
   */
  | "normal";

/** How a SQLite database is opened and used. */
export interface SqliteOptions extends SaverOptions {
  /** When a commit waits for the disk: `"full"` for a database that the saver opens. */
  readonly synchronous?: Synchronous | undefined;
  /** How long a call waits for a lock that another connection holds; 5000 when left out. */
  readonly busyDeadlineMs?: number | undefined;
  /** Serializes the values; `JsonPlusSerde` when it is left out. */
  readonly serde?: SerializerProtocol | undefined;
}

/** What a saver remembers unless the options say otherwise. */
export const CACHE_BYTES = 48 * 1024 * 1024;
