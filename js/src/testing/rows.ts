// Reads everything that is stored, row by row.

import type { StorageAdapter } from "../planner/adapter.js";
import { read } from "./batches.js";

const TABLES: readonly (readonly [string, string])[] = [
  ["lg_format", "format"],
  ["lg_threads", "thread_key, thread_id, generation"],
  [
    "lg_checkpoints",
    "thread_key, checkpoint_ns, checkpoint_id, parent_checkpoint_id, created_at, channels, " +
      "metadata, envelope",
  ],
  [
    "lg_writes",
    "thread_key, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, envelope",
  ],
  ["lg_chunks", "thread_key, hash, data"],
];

/** For each table, a query that gives every row as a text, ordered by it. */
export const ROW_QUERIES: readonly (readonly [string, string])[] = TABLES.map(
  ([table, columns]) => {
    const row = columns.split(", ").map((column) => `quote(${column})`);
    return [table, `SELECT ${row.join(" || '|' || ")} AS row FROM ${table} ORDER BY 1`];
  },
);

/** A digest of every row of every table. Two stores with the same digest hold the same bytes. */
export async function digestOf(adapter: StorageAdapter): Promise<string> {
  const lines: string[] = [];
  for (const [table, query] of ROW_QUERIES) {
    for (const [row] of await read(adapter, query)) lines.push(`${table}|${String(row)}\n`);
  }
  const bytes = new TextEncoder().encode(lines.join(""));
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Bytes as lower case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
