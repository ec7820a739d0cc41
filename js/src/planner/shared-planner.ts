// The planner for SQL, which all savers of a process share: its store keeps nothing in memory.

import { compiledOnce } from "./core-modules.js";
import { CORE } from "./core-of-sql.js";
import { Planner } from "./planner.js";

/** SQLite, as `open` of wit/planner/wire.wit takes it. */
const SQLITE = [0];

const own = new Planner({ core: compiledOnce(CORE), store: SQLITE });
const ofModules = new WeakMap<WebAssembly.Module, Planner>();

/** The planner of a core module, or of this package's file at its first use. */
export function sharedPlanner(core?: WebAssembly.Module): Planner {
  if (core === undefined) return own;
  const planner = ofModules.get(core) ?? new Planner({ core: () => core, store: SQLITE });
  ofModules.set(core, planner);
  return planner;
}
