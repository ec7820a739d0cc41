// The driver for Neon's query function, which sends one request over HTTP for each transaction.

import type { Batch, SqlValue } from "../../planner/adapter.js";
import { parserOf } from "./columns.js";
import { type Attempt, checkClient, type PostgresDriver, type Query, type Rows } from "./driver.js";

/** How the function gives rows, and what it gives to `fetch`. */
export interface NeonQueryOptions {
  readonly arrayMode: true;
  readonly fullResults: false;
  readonly types: { getTypeParser(type: number): (text: string) => unknown };
  readonly fetchOptions?: { readonly signal: AbortSignal };
}

/** What `neon(...)` returns. */
export interface NeonQueryFunction {
  // biome-ignore-start lint/suspicious/noExplicitAny: the driver's own types have many cases.
  query(text: string, values?: any[], options?: any): PromiseLike<any>;
  transaction(queries: any[], options?: any): Promise<any>;
  // biome-ignore-end lint/suspicious/noExplicitAny: see above
}

/** Runs queries with Neon's query function: one request for each batch. */
export class NeonDriver implements PostgresDriver {
  readonly #sql: NeonQueryFunction;

  constructor(sql: NeonQueryFunction) {
    checkClient(
      sql,
      ["query", "transaction"],
      "this is no query function of Neon; pass what neon(...) returns",
    );
    this.#sql = sql;
  }

  async run(queries: readonly Query[], access: Batch["access"], attempt: Attempt): Promise<Rows[]> {
    attempt.isSent = true;
    const controller = new AbortController();
    attempt.abandon = () => controller.abort();
    const fetchOptions = { signal: controller.signal };
    const [first, ...more] = queries;
    if (first !== undefined && more.length === 0) {
      const options = { ...OPTIONS, fetchOptions };
      const rows: SqlValue[][] = await this.#sql.query(first.text, [...first.values], options);
      return [rows];
    }
    const inOrder = queries.map(({ text, values }) => this.#sql.query(text, [...values], OPTIONS));
    const rows: Rows[] = await this.#sql.transaction(inOrder, {
      arrayMode: true,
      fullResults: false,
      isolationLevel: access === "read" ? "RepeatableRead" : "ReadCommitted",
      readOnly: access === "read",
      fetchOptions,
    });
    return rows;
  }

  async end(): Promise<void> {}
}

const OPTIONS: NeonQueryOptions = {
  arrayMode: true,
  fullResults: false,
  types: { getTypeParser: parserOf },
};
