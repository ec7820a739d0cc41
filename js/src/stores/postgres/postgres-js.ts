// The driver for postgres.js.

import type { Batch } from "../../planner/adapter.js";
import { parserOf } from "./columns.js";
import { type Attempt, checkClient, type PostgresDriver, type Query, type Rows } from "./driver.js";
import { Prepared } from "./prepared.js";

/** The rows of postgres.js: the bytes of each column, as PostgreSQL sent them. */
export type PostgresJsRows = readonly (readonly (Uint8Array | null)[])[] & {
  readonly columns: readonly { readonly type: number }[];
};

/** A query of postgres.js. */
export interface PostgresJsQuery {
  raw(): PromiseLike<PostgresJsRows>;
}

/** A transaction of postgres.js. */
export interface PostgresJsTransaction {
  // biome-ignore lint/suspicious/noExplicitAny: the driver's own type has many cases.
  unsafe(text: string, values?: any[], options?: { prepare: boolean }): PostgresJsQuery;
}

/** What `postgres(...)` returns. */
export interface PostgresJsSql extends PostgresJsTransaction {
  begin<T>(options: string, run: (sql: PostgresJsTransaction) => Promise<T>): Promise<unknown>;
  end(options: { timeout: number }): Promise<void>;
}

/** How long the client's other queries may take at its end. */
const END_SECONDS = 2;

/**
 * Runs queries with postgres.js, whose connections pipeline. A query with parameters that is not
 * prepared takes two round trips, because it asks the server for their types first.
 */
export class PostgresJsDriver implements PostgresDriver {
  readonly #sql: PostgresJsSql;
  readonly #prepared: Prepared | undefined;

  constructor(sql: PostgresJsSql, prepare = false) {
    checkClient(
      sql,
      ["unsafe", "begin"],
      "this is no client of postgres.js; pass what postgres(...) returns",
    );
    this.#sql = sql;
    this.#prepared = prepare ? new Prepared() : undefined;
  }

  async run(queries: readonly Query[], access: Batch["access"], attempt: Attempt): Promise<Rows[]> {
    // It takes connections by itself, and says when it has none.
    attempt.isSent = true;
    const [first, ...more] = queries;
    if (first !== undefined && more.length === 0) return [await this.#rowsOf(this.#sql, first)];
    const mode =
      access === "read"
        ? "isolation level repeatable read read only"
        : "isolation level read committed";
    const rows: Rows[] = [];
    await this.#sql.begin(mode, async (sql) => {
      rows.push(...(await Promise.all(queries.map((query) => this.#rowsOf(sql, query)))));
    });
    return rows;
  }

  end(): Promise<void> {
    // After a connection has died, it would wait forever.
    return this.#sql.end({ timeout: END_SECONDS });
  }

  async #rowsOf(sql: PostgresJsTransaction, { text, values }: Query): Promise<Rows> {
    // Its statements have names of the driver's own.
    const prepare = this.#prepared?.nameOf(text) !== undefined;
    const rows = await sql.unsafe(text, [...values], { prepare }).raw();
    return rows.map((row) => {
      return row.map((bytes, at) => {
        return bytes === null ? null : parserOf(rows.columns[at]?.type ?? 0)(decoder.decode(bytes));
      });
    });
  }
}

/** Keeps U+FEFF at the beginning of a text. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
