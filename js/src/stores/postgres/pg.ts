// The driver for `pg`. Pools of other copies and versions of it fit too.

import type { Batch, SqlValue } from "../../planner/adapter.js";
import { parserOf } from "./columns.js";
import { type Attempt, checkClient, type PostgresDriver, type Query, type Rows } from "./driver.js";
import { Prepared } from "./prepared.js";
import { failureOf, rolledBack } from "./server-failure.js";

/** A query as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string;
  readonly name?: string;
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
  on(event: "connect", listener: (client: PostgresClient) => void): unknown;
  listenerCount(event: "error"): number;
}

/** Runs queries on a pool of `pg`, in one round trip if its connections pipeline. */
export class PgDriver implements PostgresDriver {
  readonly #pool: PostgresPool;
  readonly #prepared: Prepared | undefined;

  constructor(pool: PostgresPool, prepare = false) {
    const what = "the pool is not one of pg; fromConnString makes one of a connection string";
    checkClient(pool, ["connect"], what);
    this.#pool = pool;
    this.#prepared = prepare ? new Prepared() : undefined;
    // A connection that dies while nobody uses it is replaced. Without a listener, the pool's event
    // would end the process.
    if (pool.listenerCount("error") === 0) pool.on("error", ignored);
    // Nor has a connection a listener of the pool's between its beginning and its first use.
    if (!heard.has(pool)) pool.on("connect", (client) => client.on("error", ignored));
    heard.add(pool);
  }

  async run(queries: readonly Query[], access: Batch["access"], attempt: Attempt): Promise<Rows[]> {
    let isLate = false;
    attempt.abandon = () => {
      isLate = true;
    };
    const client = await this.#pool.connect();
    if (isLate) {
      client.release();
      return [];
    }
    attempt.isConnected = true;
    attempt.isSent = true;
    // A connection that dies in use fails its queries, and has an event too.
    client.on("error", ignored);
    attempt.abandon = () => {
      isLate = true;
      client.release(true);
    };
    let keeps = false;
    try {
      const given = queries.map((query) => this.#queryOf(query));
      const rows = await runOn(client, given, access, attempt);
      keeps = true;
      return rows;
    } catch (thrown) {
      keeps = failureOf(thrown, attempt).keepsConnection;
      throw thrown;
    } finally {
      if (!isLate) client.release(!keeps);
      if (keeps) client.removeListener("error", ignored);
    }
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  /** A query. Its statement has no name if it is not to be prepared: poolers do not keep those. */
  #queryOf({ text, values }: Query): PostgresQuery {
    const name = this.#prepared?.nameOf(text);
    const query = values.length === 0 ? queryOf(text) : { ...queryOf(text), values: [...values] };
    return name === undefined ? query : { ...query, name };
  }
}

async function runOn(
  client: PostgresClient,
  given: readonly PostgresQuery[],
  access: Batch["access"],
  attempt: Attempt,
): Promise<Rows[]> {
  const around = given.length === 1 ? 0 : 1;
  const begin =
    access === "read"
      ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
      : "BEGIN ISOLATION LEVEL READ COMMITTED";
  const queries = [...given];
  if (around > 0) {
    queries.unshift(queryOf(begin));
    queries.push(queryOf("COMMIT"));
  }
  const results: PostgresResult[] = [];
  try {
    if (client.pipeline) results.push(...(await allOf(queries.map((one) => client.query(one)))));
    else for (const query of queries) results.push(await client.query(query));
  } catch (thrown) {
    // In a pipeline COMMIT followed, which has ended the failed transaction.
    if (around > 0 && !client.pipeline && failureOf(thrown, attempt).keepsConnection) {
      await client.query(queryOf("ROLLBACK"));
    }
    throw thrown;
  }
  if (around > 0 && results.at(-1)?.command !== "COMMIT") throw rolledBack();
  const rows = results.slice(around, results.length - around).map((result) => result.rows);
  return rows as SqlValue[][][];
}

function queryOf(text: string): PostgresQuery {
  return { text, rowMode: "array", types: { getTypeParser: parserOf } };
}

function ignored(): void {}

/** The pools whose new connections have a listener: several savers may share one. */
const heard = new WeakSet<PostgresPool>();

/** All results, or the first failure once all have settled. */
async function allOf<T>(promises: Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}
