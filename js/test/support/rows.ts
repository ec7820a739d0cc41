// Reads everything that is stored, row by row.

import { ROW_QUERIES } from "../../src/testing/rows.js";

/** A database of any driver. */
export interface Database {
  prepare(text: string): { all(): unknown[] };
}

/** The text of every row of every table; each table's rows are ordered by their text. */
export function rowsIn(database: Database): string[] {
  return ROW_QUERIES.flatMap(([table, query]) => {
    const rows = database.prepare(query).all() as { row: string }[];
    return rows.map(({ row }) => `${table}|${row}`);
  });
}
