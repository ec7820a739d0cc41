import { StorageSaver } from "langgraph-checkpoint-wasm";
import initSqlJs from "sql.js";

const SQL = await initSqlJs();

export class MemoryAdapter {
  name = "memory";
  #db = new SQL.Database();

  run({ statements }) {
    this.#db.run("BEGIN");
    try {
      const rowSets = statements.map((statement) => this.#runStatement(statement));
      this.#db.run("COMMIT");
      return rowSets;
    } catch (error) {
      this.#db.run("ROLLBACK");
      throw error;
    }
  }

  #runStatement({ text, parameters }) {
    const rows = [];
    for (const values of parameters) {
      const bound = values.map((value) => (typeof value === "bigint" ? Number(value) : value));
      for (const row of this.#db.iterateStatements(text)) {
        row.bind(bound);
        while (row.step()) rows.push(row.get());
      }
    }
    return { rows };
  }
}

export const checkpointer = new StorageSaver(new MemoryAdapter());
