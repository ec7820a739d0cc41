// The entry point `langgraph-checkpoint-wasm/core`: the planner's core module, for the option
// `core` of programs that cannot read files.

import { CORE } from "../../generated/planner.inline.cjs";
import "../platform/web-assembly.js";

/** The planner's core module, compiled. */
export const core: WebAssembly.Module = new WebAssembly.Module(CORE.bytes());
