// One instance of a planner's core module.

import { WireCore } from "./wire/core.js";

/** The instance failed in a way that is no refusal, as at a trap. It is of no more use. */
export class PlannerFailure extends Error {
  override readonly name = "PlannerFailure";
}

/** An instance, for as long as it lives: a call into it that fails leaves it dead. */
export class Instance {
  readonly #core: WireCore;
  #alive = true;

  constructor(module: WebAssembly.Module) {
    this.#core = new WireCore(module);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Calls into the instance. */
  enter<T>(run: (core: WireCore) => T): T {
    if (!this.#alive) throw new PlannerFailure("the planner's instance failed before");
    try {
      return run(this.#core);
    } catch (thrown) {
      this.#alive = false;
      throw new PlannerFailure("the planner's instance failed", { cause: thrown });
    }
  }
}
