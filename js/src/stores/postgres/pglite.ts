// The driver for PGlite: PostgreSQL in WebAssembly, in this process.

import { InvalidInputError } from "../../errors.js";
import type { Batch, SqlValue } from "../../planner/adapter.js";
import { parserOf, TYPES } from "./columns.js";
import { type Attempt, checkClient, type PostgresDriver, type Query, type Rows } from "./driver.js";

/** How PGlite gives rows. */
export interface PGliteQueryOptions {
  readonly rowMode: "array";
  readonly parsers: Record<number, (text: string) => unknown>;
}

/** A transaction of PGlite. */
export interface PGliteTransaction {
  query(
    text: string,
    values?: unknown[],
    options?: PGliteQueryOptions,
  ): Promise<{ readonly rows: unknown[] }>;
}

/** A database of PGlite. */
export interface PGliteDatabase extends PGliteTransaction {
  transaction<T>(run: (transaction: PGliteTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Runs queries on a database of PGlite, which is one connection. */
export class PGliteDriver implements PostgresDriver {
  readonly #database: PGliteDatabase;

  constructor(database: PGliteDatabase) {
    checkClient(
      database,
      ["query", "transaction"],
      "this is no database of PGlite; pass a new PGlite(...)",
    );
    this.#database = database;
  }

  async run(queries: readonly Query[], access: Batch["access"], attempt: Attempt): Promise<Rows[]> {
    refuseMarks(queries);
    attempt.isSent = true;
    const [first, ...more] = queries;
    if (first !== undefined && more.length === 0) return [await rowsOf(this.#database, first)];
    const mode = access === "read" ? "REPEATABLE READ, READ ONLY" : "READ COMMITTED";
    return this.#database.transaction(async (transaction) => {
      await transaction.query(`SET TRANSACTION ISOLATION LEVEL ${mode}`);
      const rows: Rows[] = [];
      for (const query of queries) rows.push(await rowsOf(transaction, query));
      return rows;
    });
  }

  end(): Promise<void> {
    return this.#database.close();
  }
}

/** PGlite takes U+FEFF from the beginning of a text that it reads. */
function refuseMarks(queries: readonly Query[]): void {
  // A text of its own, or an element of a list.
  const isMarked = (value: SqlValue) => typeof value === "string" && /(^|")\ufeff/.test(value);
  if (!queries.some(({ values }) => values.some(isMarked))) return;
  const what = "PGlite loses U+FEFF at the beginning of an id or a channel's name; leave it out";
  throw new InvalidInputError("invalid-id", what);
}

const OPTIONS: PGliteQueryOptions = {
  rowMode: "array",
  parsers: Object.fromEntries(TYPES.map((type) => [type, parserOf(type)])),
};

async function rowsOf(on: PGliteTransaction, { text, values }: Query): Promise<Rows> {
  return (await on.query(text, [...values], OPTIONS)).rows as SqlValue[][];
}
