// The calls of a thread take effect in the order they are made.

import { lateInside } from "../errors.js";
import type { Made } from "../planner/contract.js";
import { type Eventually, ignoreFailure, isPending } from "../platform/maybe-promise.js";

/**
 * Has the calls of a thread begin in their order: one whose values are still being serialized
 * holds up the later ones, and on a runner that does not order calls itself so does every call
 * until its end. A call about all threads is in the order of each.
 */
export class CallOrder {
  readonly #ordersCalls: boolean;
  /** What the next call of a thread, or of all, waits for; it never rejects. */
  readonly #last = new Map<string | undefined, Promise<unknown>>();

  constructor(ordersCalls: boolean) {
    this.#ordersCalls = ordersCalls;
  }

  /** Begins a call with its values, once they are there and after the calls before it. */
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
    const begun = Promise.all([values, before]).then(([ready]) => ({ ended: begin(ready) }));
    const ended = begun.then((call) => call.ended);
    this.#hold(thread, before, this.#ordersCalls ? begun : ended);
    return ended;
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
