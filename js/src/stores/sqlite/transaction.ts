// Transactions around batches. If the caller has one open on the same connection, batches join it,
// and their results last only once the caller commits.

import { ProtocolError } from "../../errors.js";
import type { Batch, RowSet, Statement } from "../../planner/adapter.js";
import type { Connection } from "./connection.js";
import { commitFailureOf, failureOf } from "./failure.js";

/**
 * Runs a batch in one consistent state of the store. If it throws, nothing of the batch remains.
 */
export function runBatch(connection: Connection, batch: Batch): RowSet[] {
  if (batch.access === "read") return runRead(connection, batch);
  if (connection.inTransaction) return runSavepoint(connection, batch);
  return within(connection, "BEGIN IMMEDIATE", () => runStatements(connection, batch));
}

/**
 * Runs write batches in one transaction. Stops after the first one for which `isLast` is false: its
 * call has to be asked what comes next. If it throws, nothing of the batches remains.
 *
 * @param isLast Whether these row sets end the batch's call.
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
  // A single statement, run once, needs no transaction.
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
    // SQLite itself rolls back on some failures; then there is no transaction left.
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
    // Some failures roll back the whole transaction.
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
