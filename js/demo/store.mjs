// Where the threads are: a SQLite file, a database of Kusto, or one of PostgreSQL.

import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";

/** Opens a place for a thread: a path, or a cluster's URI with the database as its path. */
export function open(place, thread) {
  return /^https?:/.test(place) ? openKusto(place, thread) : openSqlite(place);
}

async function openSqlite(path) {
  const { SqliteSaver } = await import("langgraph-checkpoint-wasm/sqlite");
  const checkpointer = SqliteSaver.fromConnString(path);
  const size = async () => {
    checkpointer.close();
    return { what: "the file takes", bytes: statSync(path).size };
  };
  return { checkpointer, size };
}

/** Opens a schema of a PostgreSQL server, or of the PGlite database in a folder. */
export async function openPostgres(place, schema) {
  if (/^postgres(ql)?:/.test(place)) {
    const { PostgresSaver } = await import("langgraph-checkpoint-wasm/postgres");
    return PostgresSaver.fromConnString(place, { schema });
  }
  const { PostgresSaver } = await import("langgraph-checkpoint-wasm/pglite");
  const { PGlite } = await import("@electric-sql/pglite");
  return new PostgresSaver(new PGlite(place), undefined, { schema });
}

async function openKusto(place, thread) {
  const { KustoSaver } = await import("langgraph-checkpoint-wasm/kusto");
  const { origin, pathname } = new URL(place);
  const database = decodeURIComponent(pathname.slice(1));
  const options = { clusterUri: origin, database };
  if (!isLocal(origin)) options.credential = token;
  const checkpointer = await KustoSaver.fromConnectionString(options);
  await checkpointer.setup();
  const size = async () => {
    await checkpointer.close();
    const ofThread = `CheckpointLog | where thread_id == ${JSON.stringify(thread)}`;
    const [{ bytes }] = await query(place, `${ofThread} | summarize bytes = sum(strlen(data))`);
    return { what: "their values take", bytes };
  };
  return { checkpointer, size };
}

/** The rows that a query gives. */
export async function query(place, text) {
  const { origin, pathname } = new URL(place);
  const headers = { accept: "application/json", "content-type": "application/json" };
  if (!isLocal(origin)) headers.authorization = `Bearer ${await token()}`;
  const response = await fetch(`${origin}/v1/rest/query`, {
    method: "POST",
    headers,
    body: JSON.stringify({ db: decodeURIComponent(pathname.slice(1)), csl: text }),
  });
  if (!response.ok) throw new Error(`the query failed with status ${response.status}`);
  const [{ Columns, Rows }] = (await response.json()).Tables;
  const names = Columns.map(({ ColumnName }) => ColumnName);
  return Rows.map((row) => Object.fromEntries(row.map((cell, index) => [names[index], cell])));
}

function isLocal(origin) {
  return ["127.0.0.1", "localhost"].includes(new URL(origin).hostname);
}

/** The token of the environment, or else of whoever is logged in with the Azure CLI. */
async function token() {
  const { KUSTO_ACCESS_TOKEN } = process.env;
  if (KUSTO_ACCESS_TOKEN !== undefined) return KUSTO_ACCESS_TOKEN;
  const resource = ["--resource", "https://api.kusto.windows.net"];
  const output = ["--query", "accessToken", "--output", "tsv"];
  const args = ["account", "get-access-token", ...resource, ...output];
  return execFileSync("az", args, { encoding: "utf8" }).trim();
}
