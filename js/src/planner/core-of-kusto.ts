import type { CoreModule } from "./core-modules.js";

/** The planner for Kusto, in a file of its own; see the planner for SQL. */
export const CORE: CoreModule = {
  name: "planner-kusto.core.wasm",
  entry: "langgraph-checkpoint-wasm/core-kusto",
  file: () => new URL("../../generated/planner-kusto.core.wasm", import.meta.url),
};
