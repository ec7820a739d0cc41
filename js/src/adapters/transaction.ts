// Transactions around batches. Where the caller has one open on the same connection, the batches
// join it, and what is answered lasts when the caller commits.

import { ProtocolError } from "../errors.js";
import type { Batch, RowSet, Statement } from "./adapter.js";
import type { Connection } from "./connection.js";
import { commitFailureOf, failureOf } from "./failure.js";

/** What became of one batch. */
export type Answer = { readonly rowSets: RowSet[] } | { readonly failure: Error };

/** Runs a read batch in one consistent state of the store. */
export function runRead(connection: Connection, batch: Batch): RowSet[] {
  // A statement that runs once is consistent by itself.
  const [first, ...more] = batch.statements;
  if (connection.inTransaction || (more.length === 0 && first?.parameters.length === 1)) {
    return runStatements(connection, batch);
  }
  return within(connection, "BEGIN", () => runStatements(connection, batch));
}

/** Runs write batches in one transaction. What one of them throws undid all of them. */
export function runTogether(connection: Connection, batches: readonly Batch[]): Answer[] {
  return within(connection, "BEGIN IMMEDIATE", () => {
    return batches.map((batch) => ({ rowSets: runStatements(connection, batch) }));
  });
}

/**
 * Runs write batches in one transaction, each in a savepoint, so that one that fails undoes
 * nothing of the others. What it throws undid all of them.
 */
export function runApart(connection: Connection, batches: readonly Batch[]): Answer[] {
  const run = () => batches.map((batch) => runSavepoint(connection, batch));
  return connection.inTransaction ? run() : within(connection, "BEGIN IMMEDIATE", run);
}

function within<T>(connection: Connection, begin: string, run: () => T): T {
  connection.execute(begin);
  try {
    const value = run();
    commit(connection);
    return value;
  } finally {
    // SQLite itself rolls back on some failures; then there is no transaction to end.
    if (connection.inTransaction) connection.execute("ROLLBACK");
  }
}

function commit(connection: Connection): void {
  try {
    connection.execute("COMMIT");
  } catch (thrown) {
    throw commitFailureOf(connection, thrown);
  }
}

function runSavepoint(connection: Connection, batch: Batch): Answer {
  connection.execute("SAVEPOINT batch");
  let answer: Answer;
  try {
    answer = { rowSets: runStatements(connection, batch) };
  } catch (thrown) {
    answer = { failure: failureOf(connection, thrown) };
    // The whole transaction is lost, which is not for this batch alone.
    if (!connection.inTransaction) throw answer.failure;
    connection.execute("ROLLBACK TO batch");
  }
  connection.execute("RELEASE batch");
  return answer;
}

function runStatements(connection: Connection, batch: Batch): RowSet[] {
  if (batch.statements.length > 0) {
    return batch.statements.map((statement) => runStatement(connection, statement));
  }
  throw new ProtocolError("empty-batch", "the planner gave a batch without statements");
}

function runStatement(connection: Connection, { text, parameters }: Statement): RowSet {
  const [first] = parameters;
  if (first !== undefined && parameters.length === 1) {
    return { rows: connection.query(text, first) };
  }
  return { rows: parameters.flatMap((values) => connection.query(text, values)) };
}
