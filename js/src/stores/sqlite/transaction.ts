// Transactions around batches. Where the caller has one open on the same connection, the batches
// join it, and what is answered lasts when the caller commits.

import { ProtocolError } from "../../errors.js";
import type { Batch, RowSet, Statement } from "../../planner/adapter.js";
import type { Connection } from "./connection.js";
import { commitFailureOf, failureOf } from "./failure.js";

/** Runs a batch in one consistent state of the store. What it throws undid all of it. */
export function runBatch(connection: Connection, batch: Batch): RowSet[] {
  if (batch.access === "read") return runRead(connection, batch);
  if (connection.inTransaction) return runSavepoint(connection, batch);
  return within(connection, "BEGIN IMMEDIATE", () => runStatements(connection, batch));
}

/**
 * Runs write batches in one transaction, up to the first one whose row sets are not the last
 * thing to be known of it. What one of them throws undid all of them.
 */
export function runTogether<Writing extends { readonly batch: Batch }>(
  connection: Connection,
  writings: readonly Writing[],
  isLast: (writing: Writing, rowSets: RowSet[]) => boolean,
): RowSet[][] {
  return within(connection, "BEGIN IMMEDIATE", () => {
    const answers: RowSet[][] = [];
    for (const writing of writings) {
      const rowSets = runStatements(connection, writing.batch);
      answers.push(rowSets);
      if (!isLast(writing, rowSets)) break;
    }
    return answers;
  });
}

function runRead(connection: Connection, batch: Batch): RowSet[] {
  // A statement that runs once is consistent by itself.
  const [first, ...more] = batch.statements;
  if (connection.inTransaction || (more.length === 0 && first?.parameters.length === 1)) {
    return runStatements(connection, batch);
  }
  return within(connection, "BEGIN", () => runStatements(connection, batch));
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

function runSavepoint(connection: Connection, batch: Batch): RowSet[] {
  connection.execute("SAVEPOINT batch");
  try {
    return runStatements(connection, batch);
  } catch (thrown) {
    const failure = failureOf(connection, thrown);
    // Some failures undo the whole transaction.
    if (connection.inTransaction) connection.execute("ROLLBACK TO batch");
    throw failure;
  } finally {
    if (connection.inTransaction) connection.execute("RELEASE batch");
  }
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
