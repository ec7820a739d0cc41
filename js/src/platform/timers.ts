// Time, as it is when the package is loaded. Fake timers that a test installs later stop the code
// under test, not the saver below it, whose promises would then never settle.

import { builtinModule } from "./runtime.js";

type Timers = Pick<
  typeof globalThis,
  "setTimeout" | "clearTimeout" | "setImmediate" | "queueMicrotask"
> & {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that only grow. */
  elapsed(): number;
  /** A signal that aborts after so many milliseconds. */
  abortAfter(milliseconds: number): AbortSignal;
};

// Where tests run in a global object of their own, fakes may be in it from the beginning.
const source = builtinModule<typeof globalThis>("node:timers") ?? globalThis;
const { performance } = builtinModule<typeof globalThis>("node:perf_hooks") ?? globalThis;

const setTimeout = source.setTimeout.bind(globalThis) as Timers["setTimeout"];
const later = ((run: () => void) => setTimeout(run, 0)) as unknown as Timers["setImmediate"];

/** The only timers and clocks of this package. */
export const timers: Timers = {
  setTimeout,
  clearTimeout: source.clearTimeout.bind(globalThis),
  // Browsers have none.
  setImmediate: (source.setImmediate?.bind(globalThis) as Timers["setImmediate"]) ?? later,
  // Fake timers that are there from the beginning replace the function, and no promise.
  queueMicrotask: (run) => {
    void Promise.resolve().then(run);
  },
  now: Date.now.bind(Date),
  elapsed: performance.now.bind(performance),
  abortAfter: AbortSignal.timeout.bind(AbortSignal),
};
