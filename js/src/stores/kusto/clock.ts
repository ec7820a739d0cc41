import type { Moment } from "../../planner/contract.js";
import { timers } from "../../platform/timers.js";

/** A clock and a timer. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after this many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
}

/** This machine's time. */
export const systemClock: Clock = {
  now: () => timers.now(),
  sleep: (milliseconds) => new Promise((resolve) => timers.setTimeout(resolve, milliseconds)),
};

/** Runs something at the end of this turn of the event loop, after its microtasks. */
export const atTurnsEnd: (run: () => void) => unknown = timers.setImmediate;

/** The moments of a clock. They never go back, even if the clock does. */
export class Moments {
  readonly #clock: Clock;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time and 64 random bits. */
  next(): Moment {
    const now = BigInt(Math.floor(this.#clock.now())) * 1000n;
    if (now > this.#last) this.#last = now;
    const [entropy = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    return { now: this.#last, entropy };
  }
}
