// The calls of a thread take effect in the order they are made.

import { type Eventually, isPending } from "../platform/maybe-promise.js";

/**
 * Has the calls of a thread begin in their order: one whose values are still being serialized
 * holds up the later ones, and on a runner that does not order calls itself so does a write until
 * its end.
 */
export class Lanes {
  readonly #ordersCalls: boolean;
  /** What the next call of a thread waits for; it never rejects. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(ordersCalls: boolean) {
    this.#ordersCalls = ordersCalls;
  }

  /** Begins a read of a thread, or of all, after the writes before it. */
  read<Outcome>(thread: string | undefined, begin: () => Eventually<Outcome>): Eventually<Outcome> {
    if (this.#last.size === 0) return begin();
    const before = thread === undefined ? [...this.#last.values()] : [this.#last.get(thread)];
    return before.every((last) => last === undefined) ? begin() : Promise.all(before).then(begin);
  }

  /** Begins a write with its values, once they are there and after the writes before it. */
  write<Values, Outcome>(
    thread: string | undefined,
    values: Eventually<Values>,
    begin: (values: Values) => Eventually<Outcome>,
  ): Eventually<Outcome> {
    const before = thread === undefined ? undefined : this.#last.get(thread);
    if (before === undefined && !isPending(values)) {
      const ended = begin(values);
      if (!this.#ordersCalls && isPending(ended)) this.#hold(thread, before, ended);
      return ended;
    }
    const begun = Promise.all([values, before]).then(([ready]) => ({ ended: begin(ready) }));
    const ended = begun.then((call) => call.ended);
    this.#hold(thread, before, this.#ordersCalls ? begun : ended);
    return ended;
  }

  #hold(thread: string | undefined, before: unknown, until: Promise<unknown>): void {
    if (thread === undefined) return;
    const last = Promise.allSettled([before, until]).then(() => {
      if (this.#last.get(thread) === last) this.#last.delete(thread);
    });
    this.#last.set(thread, last);
  }
}
