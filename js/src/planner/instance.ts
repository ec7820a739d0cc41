// One instance of a planner's core module.

import { WireCore } from "./wire/core.js";

/**
 * The instance failed, as at a trap, and must not be used again. A refusal is not such a failure.
 */
export class PlannerFailure extends Error {
  override readonly name = "PlannerFailure";
  /** Whether the call that failed had something stored before, or may have. */
  maybeStored = false;
}

/** An instance. It is dead after the first call into it that fails. */
export class Instance {
  readonly #core: WireCore;
  #alive = true;

  constructor(module: WebAssembly.Module) {
    this.#core = new WireCore(module);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Calls into the instance. Throws `PlannerFailure` if that fails, or if it is dead. */
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
