// How the tests of a project reach PostgreSQL.

import { PGlite } from "@electric-sql/pglite";
import { neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import postgres from "postgres";
import { inject } from "vitest";

import * as onNeon from "../../../../src/entries/neon.js";
import * as onPGlite from "../../../../src/entries/pglite.js";
import * as onPg from "../../../../src/entries/postgres.js";
import * as onPostgresJs from "../../../../src/entries/postgres-js.js";
import type { PostgresOptions } from "../../../../src/stores/postgres/options.js";
import type { PGliteDatabase } from "../../../../src/stores/postgres/pglite.js";
import type { PostgresDriverSaver } from "../../../../src/stores/postgres/saver.js";

export const target = inject("postgres");

/** Opens a saver with the project's driver. */
export function openOnRoute(options: PostgresOptions): PostgresDriverSaver {
  const { route, saverUrl: url } = target;
  if (route === "neon") return new onNeon.PostgresSaver(neon(url), undefined, options);
  if (route === "pglite") return new onPGlite.PostgresSaver(kept(pglite()), undefined, options);
  if (route === "postgres-js") {
    const sql = postgres(url, { max: 4, onnotice: () => {} });
    return new onPostgresJs.PostgresSaver(sql, undefined, options);
  }
  const prepare = route === "pg-prepared";
  return onPg.PostgresSaver.fromConnString(url, { ...options, prepare });
}

/** The rows of a query that the superuser runs. */
export async function rowsOnRoute(text: string, values: unknown[]) {
  const { rows } = await (target.route === "pglite"
    ? pglite().query(text, values)
    : admin().query(text, values));
  return rows as Record<string, unknown>[];
}

if (target.endpoint !== undefined) neonConfig.fetchEndpoint = target.endpoint;

let database: PGlite | undefined;
let pool: pg.Pool | undefined;

/** The database of this file's tests: making one takes seconds. */
export function pglite(): PGlite {
  database ??= new PGlite();
  return database;
}

function admin(): pg.Pool {
  pool ??= new pg.Pool({ connectionString: target.url, max: 4, allowExitOnIdle: true });
  return pool;
}

/** A database that its savers do not close. */
function kept(db: PGlite): PGliteDatabase {
  return {
    query: (text, values, options) => db.query(text, values, options),
    transaction: (run) => db.transaction(run),
    close: async () => {},
  };
}
