// The entry point `langgraph-checkpoint-wasm/core-postgres`: the core module of the planner for
// PostgreSQL, for the option `core` of programs that cannot read files.

import { CORE } from "../../generated/planner-postgres.inline.cjs";
import "../platform/web-assembly.js";

/** The core module of the planner for PostgreSQL, compiled. */
export const core: WebAssembly.Module = new WebAssembly.Module(CORE.bytes());
