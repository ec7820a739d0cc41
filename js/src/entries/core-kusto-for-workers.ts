// The core module of the planner for Kusto, for runtimes that cannot compile WebAssembly.

import module from "../../generated/planner-kusto.core.wasm";
import "../platform/web-assembly.js";

/** The core module of the planner for Kusto, compiled. */
export const core: WebAssembly.Module = module;
