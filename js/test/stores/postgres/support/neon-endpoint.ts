// A server of the protocol in which Neon's driver sends queries over HTTP. It runs them on the
// PostgreSQL server of the connection string that comes with each request.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import pg from "pg";

/** A query of a request. */
interface Query {
  readonly query: string;
  readonly params: readonly (string | null)[];
}

const LEVELS: Readonly<Record<string, string>> = {
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

/** Starts a server. */
export async function startNeonEndpoint(): Promise<{ url: string; stop(): Promise<void> }> {
  const pools = new Map<string, pg.Pool>();
  const server = createServer(async (request, response) => {
    const url = String(request.headers["neon-connection-string"]);
    const pool = pools.get(url) ?? new pg.Pool({ connectionString: url }).on("error", () => {});
    pools.set(url, pool);
    await answer(pool, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await Promise.all([...pools.values()].map((pool) => pool.end()));
  };
  return { url: `http://127.0.0.1:${port}/sql`, stop };
}

async function answer(pool: pg.Pool, request: IncomingMessage, response: ServerResponse) {
  const respond = (status: number, body: unknown) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  try {
    const body = JSON.parse(await text(request)) as Query | { readonly queries: readonly Query[] };
    if ("query" in body) return respond(200, await run(pool, body));
    respond(200, { results: await transaction(pool, body.queries, request.headers) });
  } catch (thrown) {
    const { code, message } = thrown as { code?: string; message: string };
    respond(code === undefined ? 500 : 400, { code, message });
  }
}

async function transaction(
  pool: pg.Pool,
  queries: readonly Query[],
  headers: IncomingMessage["headers"],
) {
  const client = await pool.connect();
  const level = LEVELS[String(headers["neon-batch-isolation-level"])] ?? "READ COMMITTED";
  const access = headers["neon-batch-read-only"] === "true" ? "READ ONLY" : "READ WRITE";
  try {
    await client.query(`BEGIN ISOLATION LEVEL ${level} ${access}`);
    const results: unknown[] = [];
    for (const query of queries) results.push(await run(client, query));
    await client.query("COMMIT");
    return results;
  } catch (thrown) {
    await client.query("ROLLBACK");
    throw thrown;
  } finally {
    client.release();
  }
}

/** Runs a query, and gives the texts of its columns. */
async function run(on: pg.Pool | pg.PoolClient, { query, params }: Query) {
  const { command, fields, rowCount, rows } = await on.query({
    text: query,
    values: [...params],
    rowMode: "array",
    types: { getTypeParser: () => (column: string) => column },
  } as pg.QueryArrayConfig);
  const shown = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }));
  return { command, fields: shown, rowAsArray: true, rowCount, rows };
}
