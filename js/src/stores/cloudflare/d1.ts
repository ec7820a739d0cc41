import type { Batch, RowSet, StorageAdapter } from "../../planner/adapter.js";
import { boundRuns, fromColumn, platformFailure } from "./storage.js";

/** A statement of D1, as far as it is used here. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement;
}

/** A D1 database, as far as it is used here. */
export interface D1Database {
  prepare(query: string): D1Statement;
  batch(statements: D1Statement[]): Promise<{ readonly results?: unknown }[]>;
}

const NAME = "the D1 database";

/** Executes batches in D1, each with one request, one after the other. */
export class D1Adapter implements StorageAdapter {
  readonly name = "d1";
  readonly #db: D1Database;
  /** What was called before: a database on the network may overtake it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: D1Database) {
    this.#db = db;
  }

  run(batch: Batch): Promise<RowSet[]> {
    const answer = this.#last.then(() => this.#send(batch));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #send(batch: Batch): Promise<RowSet[]> {
    const statements = boundRuns(batch, NAME);
    const prepared = statements.flat().map(({ text, values }) => {
      const statement = this.#db.prepare(text);
      return values.length === 0 ? statement : statement.bind(...values);
    });
    if (prepared.length === 0) return statements.map(() => ({ rows: [] }));
    try {
      const results = (await this.#db.batch(prepared)).values();
      return statements.map((runs) => ({ rows: runs.flatMap(() => rowsOf(results.next().value)) }));
    } catch (thrown) {
      // A batch that a statement fails is undone; where the connection failed, nobody can say.
      const ours = /D1_ERROR|D1_TYPE_ERROR|SQLITE_/.test(String(thrown));
      throw platformFailure(NAME, thrown, batch.access === "read" || ours ? "nothing" : "unknown");
    }
  }
}

/** A batch gives rows as objects: their values are in the order of the columns. */
function rowsOf(result: { readonly results?: unknown } | undefined) {
  if (!Array.isArray(result?.results)) return [];
  return result.results.map((row: object) => Object.values(row).map(fromColumn));
}
