// One instance of a component, whichever it is.

import { refusalOf } from "../errors.js";

/** Gives the compiled core module of a name. */
export type CoreModules = (name: string) => WebAssembly.Module;

/** The instance failed in a way that is no refusal, as at a trap. It is of no more use. */
export class PlannerFailure extends Error {
  override readonly name = "PlannerFailure";
}

// Runtimes without the symbol get this one from the generated code.
const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

/** What an instance exports, for as long as it lives: a call that fails leaves it dead. */
export class Instance<Exports> {
  readonly #exports: Exports;
  #alive = true;

  constructor(exports: Exports) {
    this.#exports = exports;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Calls into the instance. */
  enter<T>(run: (exports: Exports) => T): T {
    if (!this.#alive) throw new PlannerFailure("the planner's instance failed before");
    try {
      return run(this.#exports);
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal !== undefined) throw refusal;
      this.#alive = false;
      throw new PlannerFailure("the planner's instance failed", { cause: thrown });
    }
  }

  /** Frees what the instance keeps of a resource; a dead one was freed whole. */
  drop(resource: object): void {
    if (!this.#alive) return;
    const dispose: unknown = Reflect.get(resource, DISPOSE);
    if (typeof dispose === "function") this.enter(() => dispose.call(resource));
  }
}

/** Compiles each core module once, at its first use. */
export function compiledOnce(coreModule: CoreModules): CoreModules {
  const compiled = new Map<string, WebAssembly.Module>();
  return (name) => {
    const module = compiled.get(name) ?? coreModule(name);
    compiled.set(name, module);
    return module;
  };
}
