import type { CoreModule } from "./core-modules.js";

/** The planner for Kusto. Bundlers get bytes instead of a file, as in `core-of-sql.ts`. */
export const CORE: CoreModule = {
  name: "planner-kusto.core.wasm",
  entry: "langgraph-checkpoint-wasm/core-kusto",
  file: () => new URL("../../generated/planner-kusto.core.wasm", import.meta.url),
};
