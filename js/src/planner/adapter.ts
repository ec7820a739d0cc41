/** Which SQL a database speaks, and where in it the tables are. */
export type Dialect =
  | { readonly name: "sqlite" }
  /** PostgreSQL 13 or newer. */
  | { readonly name: "postgres"; readonly schema: string };

/** A value bound to a statement. A bigint is an integer; no double is ever bound. */
export type SqlParameter = null | bigint | string | Uint8Array;

/** A value read from a row. */
export type SqlValue = SqlParameter | number;

/** A statement, run once for each row of parameters. */
export interface Statement {
  /**
   * The text. Equal texts are the same statement, so an adapter may prepare it once and keep it.
   */
  readonly text: string;
  /**
   * The parameters of each run, bound to `?1`, `?2`, ..., in PostgreSQL to `$1`, `$2`, ...
   */
  readonly parameters: readonly (readonly SqlParameter[])[];
}

/** Statements that run in order in one transaction. */
export interface Batch {
  /** Whether the batch writes. */
  readonly access: "read" | "write";
  /** The statements, at least one. */
  readonly statements: readonly Statement[];
}

/** The rows that one statement gave: those of its first run, then those of the next. */
export interface RowSet {
  /**
   * Each row has its columns in order. An integer is a bigint, or a number if the driver has no
   * other type; bytes are a Uint8Array.
   */
  readonly rows: SqlValue[][];
}

/** A call of a saver under way. It asks for one batch after the other. */
export interface StoredCall {
  /**
   * By when the call must have run. `"now"`: before `runCall` returns, if the store allows it.
   * `"microtask"`: in a microtask that is queued at once. `"turn"`: by the end of this turn of the
   * event loop. Calls take effect in the order they are made, whatever their `due`.
   */
  readonly due: "now" | "microtask" | "turn";
  /** The call's thread; undefined for a call about all threads. */
  readonly thread?: string | undefined;
  /**
   * Whether the call was made while the adapter was `inTransaction`. It must then run before
   * `runCall` returns, as a part of that transaction, or fail.
   */
  readonly isInside?: boolean | undefined;
  /**
   * The batch to run next; undefined once the call has ended. Throws the error of a call that
   * fails.
   */
  readonly batch: Batch | undefined;
  /** Whether the call certainly ends with these row sets as the answer to its batch. */
  endsWith(rowSets: readonly RowSet[]): boolean;
  /** Answers the batch. Called after its commit. Throws the error of a call that fails. */
  answer(rowSets: readonly RowSet[]): void;
}

/**
 * Executes batches on one store.
 *
 * A storage adapter knows nothing about checkpoints: the planner decides what a batch says and
 * whether it may be repeated. An adapter keeps these rules:
 *
 * - The statements of a batch run in order in one transaction, each once per row of its parameters.
 *   A batch that fails leaves nothing behind. In PostgreSQL, a batch of several statements runs
 *   at the isolation level READ COMMITTED if it writes, and at REPEATABLE READ if it reads.
 * - A write batch is answered after its transaction is committed, never before.
 * - A batch sees what every batch stored that was answered before it was run.
 * - Transient failures are retried within a deadline. After that a batch fails with a
 *   `StorageError`.
 */
export interface StorageAdapter {
  /** The adapter's name in errors. Defaults to the name of its class. */
  readonly name?: string;
  /** Which SQL the adapter's database speaks. Defaults to SQLite's. */
  readonly dialect?: Dialect;
  /**
   * How many milliseconds a batch may take from `run` to its answer. Defaults to 30,000; Infinity
   * for an adapter that has a deadline of its own.
   */
  readonly deadlineMs?: number;
  /**
   * How many batches have run inside a transaction of the caller's. The caller may still roll it
   * back, so a saver does not cache their results. Leave it out if the store has no such
   * transactions.
   */
  readonly joined?: number;
  /**
   * Whether a transaction of the caller's is open; calls made while it is are a part of it. Leave
   * it out if the store has no such transactions.
   */
  readonly inTransaction?: boolean;
  /**
   * Whether the saver may join the write batches of a thread's calls into one, as those of a
   * superstep. A batch that fails must then say whether it stored nothing. For adapters that send
   * requests; of no effect beside `runCall` or `inTransaction`.
   */
  readonly joinsCalls?: boolean;
  /** Runs a batch and returns one row set per statement, in order. */
  run(batch: Batch): RowSet[] | Promise<RowSet[]>;
  /**
   * Runs a call when its turn comes, with no other call's batches between its own, and resolves
   * when it ends. Leave it out in an adapter that answers asynchronously: the saver then orders the
   * calls of a thread itself.
   */
  readonly runCall?: ((call: StoredCall) => void | Promise<void>) | undefined;
}
