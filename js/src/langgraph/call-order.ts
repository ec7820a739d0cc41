// The calls of a thread take effect in the order they are made.

import { lateInside } from "../errors.js";
import type { Made } from "../planner/contract.js";
import { type Eventually, ignoreFailure, isPending } from "../platform/maybe-promise.js";

/**
 * Starts the calls of each thread in the order they were made. A call whose values are still being
 * serialized delays the later ones. If the runner does not order calls itself, every call delays
 * the later ones until it ends. A call about all threads waits for, and delays, the calls of every
 * thread.
 */
export class CallOrder {
  readonly #ordersCalls: boolean;
  /**
   * What the next call of a thread waits for. The key `undefined` is for calls about all threads.
   * These promises never reject.
   */
  readonly #last = new Map<string | undefined, Promise<unknown>>();

  constructor(ordersCalls: boolean) {
    this.#ordersCalls = ordersCalls;
  }

  /**
   * Starts a call once its values are there and the calls before it allow it. Throws `lateInside`
   * if a call inside the caller's transaction would have to wait.
   */
  run<Values, Outcome>(
    { thread, isInside }: Made,
    values: Eventually<Values>,
    begin: (values: Values) => Eventually<Outcome>,
  ): Eventually<Outcome> {
    const before = this.#before(thread);
    if (before === undefined && !isPending(values)) {
      const ended = begin(values);
      if (!this.#ordersCalls && isPending(ended)) this.#hold(thread, before, ended);
      return ended;
    }
    if (isInside) {
      if (isPending(values)) ignoreFailure(values);
      throw lateInside();
    }
    const started = Promise.all([values, before]).then(([ready]) => ({ ended: begin(ready) }));
    const ended = started.then((call) => call.ended);
    this.#hold(thread, before, this.#ordersCalls ? started : ended);
    return ended;
  }

  /** Resolves when the calls made so far have started, or ended if the runner orders none. */
  async allStarted(): Promise<void> {
    await this.#before(undefined);
  }

  #before(thread: string | undefined): Promise<unknown> | undefined {
    if (this.#last.size === 0) return undefined;
    if (thread === undefined) return Promise.all(this.#last.values());
    const [own, all] = [this.#last.get(thread), this.#last.get(undefined)];
    return own === undefined || all === undefined ? (own ?? all) : Promise.all([own, all]);
  }

  #hold(thread: string | undefined, before: unknown, until: Promise<unknown>): void {
    const last = Promise.allSettled([before, until]).then(() => {
      if (this.#last.get(thread) === last) this.#last.delete(thread);
    });
    this.#last.set(thread, last);
  }
}
