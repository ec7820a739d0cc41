// The entry point `langgraph-checkpoint-wasm/core-kusto`: the same for Kusto.

import { CORE } from "../../generated/planner-kusto.inline.cjs";
import "../platform/web-assembly.js";

/** The core module of the planner for Kusto, compiled. */
export const core: WebAssembly.Module = new WebAssembly.Module(CORE.bytes());
