import type { Moment } from "../../planner/contract.js";
import { timers } from "../../platform/timers.js";

/** Time: what it is, and letting it pass. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves when so many milliseconds have passed. */
  sleep(milliseconds: number): Promise<void>;
}

/** This machine's time. */
export const systemClock: Clock = {
  now: () => timers.now(),
  sleep: (milliseconds) => new Promise((resolve) => timers.setTimeout(resolve, milliseconds)),
};

/** Runs something when the turn of the event loop is over, with the microtasks that it leaves. */
export const atTurnsEnd: (run: () => void) => unknown = timers.setImmediate;

/** Runs something later, if the process is still there; gives what takes that back. */
export function later(milliseconds: number, run: () => void): () => void {
  const timer = timers.setTimeout(run, milliseconds);
  (timer as { unref?(): void }).unref?.();
  return () => timers.clearTimeout(timer);
}

/** The moments of a clock that may go back; they do not. */
export class Moments {
  readonly #clock: Clock;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time, and random bits. */
  next(): Moment {
    const now = BigInt(Math.floor(this.#clock.now())) * 1000n;
    if (now > this.#last) this.#last = now;
    const [entropy = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    return { now: this.#last, entropy };
  }
}
