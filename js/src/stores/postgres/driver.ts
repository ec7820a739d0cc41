import { InvalidInputError } from "../../errors.js";
import type { Batch, RowSet, SqlValue } from "../../planner/adapter.js";
import type { Progress } from "./server-failure.js";

/** A statement with its parameters, which runs once. */
export interface Query {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** The rows of a query. */
export type Rows = SqlValue[][];

/** One attempt at the queries of a batch. */
export interface Attempt extends Progress {
  /** A driver sets this once it has a connection, if it knows. */
  isConnected: boolean;
  /** A driver sets this when something may be stored. */
  isSent: boolean;
  /** What a driver wants to be called at the deadline, if the attempt is not over by then. */
  abandon: (() => void) | undefined;
}

/** Runs queries on a PostgreSQL server. */
export interface PostgresDriver {
  /**
   * Runs the queries in order, and returns the rows of each. A single one is a transaction of its
   * own. Several are one transaction at the isolation level REPEATABLE READ, read-only, if `access`
   * is `"read"`, and at READ COMMITTED otherwise.
   */
  run(queries: readonly Query[], access: Batch["access"], attempt: Attempt): Promise<Rows[]>;
  /** Closes all connections. */
  end(): Promise<void>;
}

/** The queries of a batch: each statement as often as it has parameters. */
export function queriesOf({ statements }: Batch): Query[] {
  return statements.flatMap(({ text, parameters }) => {
    return parameters.map((values) => ({ text, values }));
  });
}

/** The row sets of a batch, of the rows of its queries. */
export function rowSetsOf({ statements }: Batch, rows: readonly Rows[]): RowSet[] {
  const left = rows.values();
  return statements.map(({ parameters }) => {
    return { rows: parameters.flatMap(() => left.next().value ?? []) };
  });
}

/** Throws `invalid-database` if a client lacks a method that its driver uses. */
export function checkClient(client: unknown, methods: readonly string[], what: string): void {
  const isObject = typeof client === "object" || typeof client === "function";
  const has = (name: string) => typeof Reflect.get(client as object, name) === "function";
  if (isObject && client !== null && methods.every(has)) return;
  throw new InvalidInputError("invalid-database", what);
}
