import type { CoreModule } from "./core-modules.js";

/**
 * The planner for SQL, in a file of its own: `imports` in package.json gives bundlers
 * `generated/planner.inline.mjs` in place of it, as what they write has no files beside it.
 *
 * Where the file is holds in this package's own bundle, too, whose modules are all in one folder.
 * It is written out, so that tools that gather a program's files find it.
 */
export const CORE: CoreModule = {
  name: "planner.core.wasm",
  entry: "langgraph-checkpoint-wasm/core",
  file: () => new URL("../../generated/planner.core.wasm", import.meta.url),
};
