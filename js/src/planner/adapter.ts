/** A value bound to a statement or read from a row: SQLite's five storage classes. */
export type SqlValue = null | bigint | number | string | Uint8Array;

/** One statement, run once for each row of parameters. */
export interface Statement {
  /** The text. Equal texts are the same statement, which may be prepared once and kept. */
  readonly text: string;
  /** The parameters of each run, bound to `?1`, `?2`, ... A bigint is an integer. */
  readonly parameters: readonly (readonly SqlValue[])[];
}

/** Statements that run in order in one transaction. */
export interface Batch {
  /** Whether the batch writes. */
  readonly access: "read" | "write";
  /** The statements, at least one. */
  readonly statements: readonly Statement[];
}

/** The rows one statement gave, all its runs one after the other. */
export interface RowSet {
  /**
   * Each row has its columns in order. An integer is a bigint, or a number where the driver has
   * no other; bytes are a Uint8Array.
   */
  readonly rows: SqlValue[][];
}

/** A call of the saver's under way: it asks for one batch after the other. */
export interface StoredCall {
  /**
   * When the call must have run. `"now"`: before `runCall` returns, if the store lets it.
   * `"microtask"`: in a microtask that is queued now. `"turn"`: by the end of this turn of the
   * event loop. A call that comes earlier than another takes effect earlier, whatever both are due.
   */
  readonly due: "now" | "microtask" | "turn";
  /** Its thread; left out where it is about all of them. */
  readonly thread?: string | undefined;
  /**
   * Whether it was made while the adapter was `inTransaction`. It then runs before `runCall`
   * returns, as part of that transaction, or fails.
   */
  readonly isInside?: boolean | undefined;
  /** The batch to run next; undefined at the end of the call. Throws what ends it in an error. */
  readonly batch: Batch | undefined;
  /** Whether this answer to the batch certainly ends the call. */
  endsWith(rowSets: readonly RowSet[]): boolean;
  /** Answers the batch, after its commit. Throws what ends the call in an error. */
  answer(rowSets: readonly RowSet[]): void;
}

/**
 * Executes batches on one store.
 *
 * A storage adapter knows nothing of checkpoints: what a batch says and whether it may be
 * repeated was decided by the planner. These rules are the adapter's:
 *
 * - The statements of a batch run in order in one transaction, each once for each of its rows of
 *   parameters. A batch that fails leaves nothing behind.
 * - A write batch is answered after its transaction is committed, never before.
 * - Batches take effect in the order of `run`, so that a read sees every write run before.
 * - Transient failures are retried within a deadline; what then fails is a `StorageError`.
 */
export interface StorageAdapter {
  /** What errors call the adapter; the name of its class when it is left out. */
  readonly name?: string;
  /**
   * How long a batch may take, from the call to its answer; 30 seconds when it is left out,
   * Infinity for an adapter that has a deadline of its own.
   */
  readonly deadlineMs?: number;
  /**
   * How many batches ran inside a transaction of the caller's own, who may still undo it: a saver
   * does not go on from what those found or stored. Left out where that cannot happen.
   */
  readonly joined?: number;
  /**
   * Whether a transaction of the caller's own is open, of which the calls made by then are part.
   * Left out where that cannot be.
   */
  readonly inTransaction?: boolean;
  /** Runs a batch and gives one row set per statement, in order. */
  run(batch: Batch): RowSet[] | Promise<RowSet[]>;
  /**
   * Runs a call when its turn comes, all its batches with no other call's between them, and
   * resolves at its end. Left out by adapters that answer later: the saver then waits for the
   * calls of a thread one after the other.
   */
  readonly runCall?: ((call: StoredCall) => void | Promise<void>) | undefined;
}
