// The part of `pg` that is used here. Pools of other copies and versions of it fit too.

import type { Batch } from "../../planner/adapter.js";

/** A query as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  readonly rowMode: "array";
  readonly types: { getTypeParser(type: number): (text: string) => unknown };
}

/** What `pg` answers. */
export interface PostgresResult {
  readonly rows: unknown[][];
  /** The command that was run: a failed transaction answers `COMMIT` with `ROLLBACK`. */
  readonly command: string | null;
}

/** A connection that was taken from a pool. */
export interface PostgresClient {
  /** Whether queries are sent without waiting for the answers to those before them. */
  readonly pipeline?: boolean;
  query(query: PostgresQuery): Promise<PostgresResult>;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Returns it to the pool, or closes it. */
  release(destroy?: boolean): void;
}

/** A pool of connections. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  listenerCount(event: "error"): number;
}

/** The queries that run a batch, and how many of them begin and end its transaction. */
export function queriesOf(batch: Batch): { queries: PostgresQuery[]; around: 0 | 1 } {
  const queries = batch.statements.flatMap(({ text, parameters }) => {
    return parameters.map((values) => queryOf(text, values));
  });
  // One statement is a transaction of its own.
  if (queries.length === 1) return { queries, around: 0 };
  const begin =
    batch.access === "read"
      ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
      : "BEGIN ISOLATION LEVEL READ COMMITTED";
  return { queries: [queryOf(begin), ...queries, queryOf("COMMIT")], around: 1 };
}

/** A query. Its statement has no name: poolers do not keep those. */
export function queryOf(text: string, values: readonly unknown[] = []): PostgresQuery {
  const common = { text, rowMode: "array", types: TYPES } as const;
  return values.length === 0 ? common : { ...common, values: [...values] };
}

const BYTEA = 17;
const INTEGERS = new Set([20, 21, 23]);

/** Parses columns as an adapter must give them, whatever the program has set for its own. */
const TYPES: PostgresQuery["types"] = {
  getTypeParser: (type) => {
    if (type === BYTEA) return toBytes;
    return INTEGERS.has(type) ? BigInt : (text) => text;
  },
};

/** The bytes of a `bytea` in either of its two text formats. */
function toBytes(text: string): Uint8Array {
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  const escaped = /\\(?:\\|([0-7]{3}))/g;
  const bytes = text.replace(escaped, (_, octal?: string) => {
    return octal === undefined ? "\\" : String.fromCharCode(Number.parseInt(octal, 8));
  });
  return Buffer.from(bytes, "latin1");
}
