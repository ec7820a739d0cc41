// The core module for runtimes that compile nothing.

import core from "../generated/planner.core.wasm";

export const coreForWorkers: WebAssembly.Module = core;
