// The core module of the planner for PostgreSQL, for runtimes that cannot compile WebAssembly.

import module from "../../generated/planner-postgres.core.wasm";
import "../platform/web-assembly.js";

/** The core module of the planner for PostgreSQL, compiled. */
export const core: WebAssembly.Module = module;
