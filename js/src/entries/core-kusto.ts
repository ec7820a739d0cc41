// The entry point `langgraph-checkpoint-wasm/core-kusto`: the core module of the planner for Kusto,
// for the option `core` of programs that cannot read files.

import { CORE } from "../../generated/planner-kusto.inline.cjs";
import "../platform/web-assembly.js";

/** The core module of the planner for Kusto, compiled. */
export const core: WebAssembly.Module = new WebAssembly.Module(CORE.bytes());
