// The core module for runtimes that compile nothing.

import module from "../../generated/planner.core.wasm";

export const core: WebAssembly.Module = module;
