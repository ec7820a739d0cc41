import type { CoreModule } from "./core-modules.js";

/**
 * The planner for SQL, in a file of its own. Bundles have no files beside them, so `imports` in
 * package.json gives bundlers `generated/planner.inline.mjs` instead.
 *
 * The relative path also holds in this package's own bundle, whose modules are all in one folder.
 * It is spelled out, so that tools that gather a program's files find it.
 */
export const CORE: CoreModule = {
  name: "planner.core.wasm",
  entry: "langgraph-checkpoint-wasm/core",
  file: () => new URL("../../generated/planner.core.wasm", import.meta.url),
};
