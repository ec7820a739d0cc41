import type { Moment } from "./guest.js";

// Taken when the module is loaded: tests that put other timers in their place stop no call.
const { setTimeout, clearTimeout, setImmediate } = globalThis as Omit<
  typeof globalThis,
  "setImmediate"
> & { setImmediate?: (run: () => void) => unknown };
const { now } = Date;

/** Time: what it is, and letting it pass. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves when so many milliseconds have passed. */
  sleep(milliseconds: number): Promise<void>;
}

/** This machine's time. */
export const systemClock: Clock = {
  now: () => now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Runs something when the turn of the event loop is over, with the microtasks that it leaves. */
export const atTurnsEnd: (run: () => void) => unknown =
  setImmediate ?? ((run) => setTimeout(run, 0));

/** Runs something later, if the process is still there; gives what takes that back. */
export function later(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds) as { unref?(): void } & ReturnType<typeof setTimeout>;
  timer.unref?.();
  return () => clearTimeout(timer);
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
