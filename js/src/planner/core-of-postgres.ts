import type { CoreModule } from "./core-modules.js";

/** The planner for PostgreSQL. Bundlers get bytes instead of a file, as in `core-of-sql.ts`. */
export const CORE: CoreModule = {
  name: "planner-postgres.core.wasm",
  entry: "langgraph-checkpoint-wasm/core-postgres",
  file: () => new URL("../../generated/planner-postgres.core.wasm", import.meta.url),
};
