// The planner's core module, for runtimes that cannot compile WebAssembly.

import module from "../../generated/planner.core.wasm";
import "../platform/web-assembly.js";

/** The planner's core module, compiled. */
export const core: WebAssembly.Module = module;
