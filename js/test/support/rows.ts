// What is stored, row by row.

/** A database of any driver. */
export interface Database {
  prepare(text: string): { all(): unknown[] };
}

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

/** The text of every row of every table, in the order of those texts. */
export function rowsIn(database: Database): string[] {
  return TABLES.flatMap(([table, columns]) => {
    const row = columns.split(", ").map((column) => `quote(${column})`);
    const sql = `SELECT ${row.join(" || '|' || ")} AS row FROM ${table} ORDER BY 1`;
    const rows = database.prepare(sql).all() as { row: string }[];
    return rows.map(({ row }) => `${table}|${row}`);
  });
}
