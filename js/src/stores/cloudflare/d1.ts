import type { Batch, RowSet, StorageAdapter } from "../../planner/adapter.js";
import { boundRuns, fromColumn, notOfPlatform, platformFailure } from "./storage.js";

/** The part of D1's statements that is used here. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement;
}

/** The part of a D1 database that is used here. */
export interface D1Database {
  prepare(query: string): D1Statement;
  batch(statements: D1Statement[]): Promise<{ readonly results?: unknown }[]>;
}

const NAME = "the D1 database";

/** Executes batches in D1, each with one request. */
export class D1Adapter implements StorageAdapter {
  readonly name = "d1";
  readonly joinsCalls = true;
  readonly #db: D1Database;

  constructor(db: D1Database) {
    if (typeof db?.batch !== "function" || typeof db.prepare !== "function") {
      throw notOfPlatform("a D1 database, such as env.DB");
    }
    this.#db = db;
  }

  async run(batch: Batch): Promise<RowSet[]> {
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
      // A batch that fails at a statement is rolled back. If the connection failed, nobody knows;
      // `D1_ERROR` alone is what each of D1's errors begins with.
      const ours = /D1_TYPE_ERROR|SQLITE_/.test(String(thrown));
      throw platformFailure(NAME, thrown, batch.access === "read" || ours ? "nothing" : "unknown");
    }
  }
}

/** A batch gives rows as objects. Their values are in the order of the columns. */
function rowsOf(result: { readonly results?: unknown } | undefined) {
  if (!Array.isArray(result?.results)) return [];
  return result.results.map((row: object) => Object.values(row).map(fromColumn));
}
