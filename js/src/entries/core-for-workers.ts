// The core module for runtimes that compile nothing.

import module from "../../generated/planner.core.wasm";
import "../platform/web-assembly.js";

export const core: WebAssembly.Module = module;
