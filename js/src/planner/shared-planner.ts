// The planner for SQL. All savers of a process can share it, since its store keeps no state.

import { compiledOnce } from "./core-modules.js";
import { CORE } from "./core-of-sql.js";
import { Planner } from "./planner.js";

/** SQLite, as `open` of wit/planner/wire.wit takes it. */
const SQLITE = [0];

const own = new Planner({ core: compiledOnce(CORE), store: SQLITE });
const ofModules = new WeakMap<WebAssembly.Module, Planner>();

/**
 * The planner of a core module. Without one, the module of this package, loaded at the first use.
 */
export function sharedPlanner(core?: WebAssembly.Module): Planner {
  if (core === undefined) return own;
  const planner = ofModules.get(core) ?? new Planner({ core: () => core, store: SQLITE });
  ofModules.set(core, planner);
  return planner;
}
