import type { CoreModule } from "./core-modules.js";

/**
 * The planner for Kusto. Where its file is holds in the bundle, too, whose modules are all in one
 * folder. It is written out, so that tools that gather a program's files find it.
 */
export const PLANNER_FOR_KUSTO: CoreModule = {
  name: "planner-kusto.core.wasm",
  file: () => new URL("../generated/planner-kusto.core.wasm", import.meta.url),
};
