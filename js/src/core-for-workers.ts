// The core module for runtimes that compile nothing.

import core from "../generated/planner-small.core.wasm";

export const coreForWorkers: WebAssembly.Module = core;
