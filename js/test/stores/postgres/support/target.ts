// Schemas for tests, on the server of the tests.

import { createHash, randomBytes } from "node:crypto";

import pg from "pg";

import { PostgresSaver } from "../../../../src/entries/postgres.js";
import type { PostgresOptions } from "../../../../src/stores/postgres/options.js";
import type { PostgresDriverSaver } from "../../../../src/stores/postgres/saver.js";
import { openOnRoute, rowsOnRoute, target } from "./routes.js";

export { target };

/** A schema that nothing else uses. Its name needs all the quoting that a name can need. */
export class Schema {
  readonly name = `lg"te'st.\u{e9} $1; ${randomBytes(6).toString("hex")}`;

  /** Opens a saver on the schema, with connections of its own. It is ended after the tests. */
  open(options: PostgresOptions = {}, url?: string): PostgresDriverSaver {
    const all = { schema: this.name, ...options };
    const saver = url === undefined ? openOnRoute(all) : PostgresSaver.fromConnString(url, all);
    opened.push(saver);
    return saver;
  }

  /** The connection string of another role. */
  urlOf(role: string, password?: string): string {
    const url = new URL(target.url);
    url.username = role;
    url.password = password ?? "";
    return url.href;
  }

  get quoted(): string {
    return pg.escapeIdentifier(this.name);
  }

  /** The rows of a query, in which `$schema` is the schema. */
  async rows(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return rowsOf(text.replaceAll("$schema", this.quoted), values);
  }

  /**
   * The digest of what is stored, as for SQLite: the same rows give the same digest, whatever the
   * store.
   */
  async digest(): Promise<string> {
    const digest = createHash("sha256");
    for (const [table, from, columns] of TABLES) {
      const rows = await this.rows(`SELECT ${columns} FROM $schema.${from}`);
      const lines = rows.map((row) => Buffer.from(Object.entries(row).map(quoted).join("|")));
      for (const line of lines.sort(Buffer.compare)) digest.update(`${table}|${line}\n`);
    }
    return digest.digest("hex");
  }
}

const TABLES = [
  ["lg_format", "lg_format", "format"],
  ["lg_threads", "lg_threads", "thread_key, thread_id, generation"],
  [
    "lg_checkpoints",
    "lg_records WHERE task_id = ''",
    "thread_key, checkpoint_ns, checkpoint_id, parent_checkpoint_id, created_at, channels, " +
      "metadata, envelope",
  ],
  [
    "lg_writes",
    "lg_records WHERE task_id <> ''",
    "thread_key, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, envelope",
  ],
  ["lg_chunks", "lg_chunks", "thread_key, hash, data"],
] as const;
/** Integers of 64 bits, which `pg` gives as text. */
const INTEGERS = new Set(["format", "thread_key", "generation", "idx"]);

/** A column as SQLite's `quote` shows it. JSON metadata is text there. */
function quoted([name, value]: [string, unknown]): string {
  if (value === null) return "NULL";
  if (INTEGERS.has(name)) return String(value);
  const text = name === "metadata" ? Buffer.from(value as Uint8Array).toString() : value;
  if (typeof text === "string") return `'${text.replaceAll("'", "''")}'`;
  return `X'${Buffer.from(value as Uint8Array)
    .toString("hex")
    .toUpperCase()}'`;
}

const opened: PostgresDriverSaver[] = [];
const schemas: Schema[] = [];

/** Runs a query as the superuser. */
export function rowsOf(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return rowsOnRoute(text, values);
}

/** A new schema that does not exist yet. */
export function newSchema(): Schema {
  const schema = new Schema();
  schemas.push(schema);
  return schema;
}

afterAll(async () => {
  await Promise.all(opened.splice(0).map((saver) => saver.end().catch(() => {})));
  for (const { quoted } of schemas.splice(0)) {
    await rowsOf(`DROP SCHEMA IF EXISTS ${quoted} CASCADE`);
  }
});
