// Timers and clocks, captured when the package is loaded. Fake timers that a test installs later
// must not stop the saver: its promises would never settle.

import { builtinModule } from "./runtime.js";

type Timers = Pick<
  typeof globalThis,
  "setTimeout" | "clearTimeout" | "setImmediate" | "queueMicrotask"
> & {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a monotonic clock. */
  elapsed(): number;
  /** A signal that aborts after this many milliseconds. */
  abortAfter(milliseconds: number): AbortSignal;
};

// Test runners with a global object of their own may have put fakes there from the beginning.
const source = builtinModule<typeof globalThis>("node:timers") ?? globalThis;
const { performance } = builtinModule<typeof globalThis>("node:perf_hooks") ?? globalThis;

const setTimeout = source.setTimeout.bind(globalThis) as Timers["setTimeout"];
const nextTurn = ((run: () => void) => setTimeout(run, 0)) as unknown as Timers["setImmediate"];

/** The only timers and clocks of this package. */
export const timers: Timers = {
  setTimeout,
  clearTimeout: source.clearTimeout.bind(globalThis),
  // Browsers have no `setImmediate`.
  setImmediate: (source.setImmediate?.bind(globalThis) as Timers["setImmediate"]) ?? nextTurn,
  // Fake timers may have replaced `queueMicrotask` already, but they leave promises alone.
  queueMicrotask: (run) => {
    void Promise.resolve().then(run);
  },
  now: Date.now.bind(Date),
  elapsed: performance.now.bind(performance),
  abortAfter: AbortSignal.timeout.bind(AbortSignal),
};

/** Runs something later, without keeping the process alive. Returns a function that cancels it. */
export function later(milliseconds: number, run: () => void): () => void {
  const timer = timers.setTimeout(run, milliseconds);
  (timer as { unref?(): void }).unref?.();
  return () => timers.clearTimeout(timer);
}
