// The planners for SQL. All savers of a process can share one, since its store keeps no state.

import type { Dialect } from "./adapter.js";
import { compiledOnce, missingCore } from "./core-modules.js";
import { CORE } from "./core-of-sql.js";
import { Planner } from "./planner.js";
import type { WireValue } from "./wire/call.js";

/** At most this many schemas have a planner that is shared. */
const SCHEMAS_MAX = 64;

/** The planners of one core module, by their store. */
class Planners {
  readonly #core: () => WebAssembly.Module;
  readonly #ofStores = new Map<string, Planner>();

  constructor(core: () => WebAssembly.Module) {
    this.#core = core;
  }

  of(dialect: Dialect): Planner {
    const store = toWireStore(dialect);
    const name = JSON.stringify(store);
    const planner = this.#ofStores.get(name) ?? new Planner({ core: this.#core, store });
    if (this.#ofStores.size < SCHEMAS_MAX) this.#ofStores.set(name, planner);
    return planner;
  }
}

const own = new Planners(compiledOnce(CORE));
const ofModules = new WeakMap<WebAssembly.Module, Planners>();

/** The module that has PostgreSQL's statements. SQLite's has not: it would be a third larger. */
const OF_POSTGRES = {
  name: "planner-postgres.core.wasm",
  entry: "langgraph-checkpoint-wasm/core-postgres",
};

/**
 * The planner of a dialect and a core module. Without one, the module of this package for SQLite,
 * loaded at the first use.
 */
export function sharedPlanner(
  dialect: Dialect = { name: "sqlite" },
  core?: WebAssembly.Module,
): Planner {
  if (core === undefined) {
    if (dialect.name === "sqlite") return own.of(dialect);
    throw missingCore(OF_POSTGRES, "has the statements of PostgreSQL");
  }
  const planners = ofModules.get(core) ?? new Planners(() => core);
  ofModules.set(core, planners);
  return planners.of(dialect);
}

/** A store as `open` of wit/planner/wire.wit takes it. */
export function toWireStore(dialect: Dialect): readonly WireValue[] {
  return dialect.name === "sqlite" ? [0] : [2, dialect.schema];
}
