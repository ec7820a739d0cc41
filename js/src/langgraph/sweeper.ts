import type { TtlOptions } from "../options.js";
import { later, timers } from "../platform/timers.js";

const MINUTE_MS = 60_000;
/** How long after its start a sweeper sweeps for the first time, unless its interval is shorter. */
const FIRST_MS = MINUTE_MS;
const DEFAULTS = { strategy: "delete", sweepInterval: 5, sweepLimit: 1000 } as const;

/** What is to be swept. Times are in milliseconds. */
export interface Sweep {
  readonly idleFor: number;
  readonly strategy: "delete" | "keep_latest";
  readonly limit: number;
  /** How long one process has the right to sweep. */
  readonly leaseMs: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** Throws if the sweep shall end. */
  throwIfAborted(): void;
}

/** Time, as a sweeper sees it. */
export interface SweeperClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs something later, and returns a function that cancels it. Keeps no process alive. */
  later(milliseconds: number, run: () => void): () => void;
}

const systemClock: SweeperClock = { now: () => timers.now(), later };

/** Sweeps a store again and again, until it is stopped. */
export class Sweeper {
  readonly #sweep: Sweep;
  readonly #intervalMs: number;
  readonly #run: (sweep: Sweep) => Promise<unknown>;
  readonly #failed: (thrown: unknown) => void;
  readonly #clock: SweeperClock;
  #cancel: (() => void) | undefined;
  #underWay: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** Whether the last sweep failed: what goes on failing is said once. */
  #hasFailed = false;

  /**
   * @param run Makes a sweep, if no other process has the lease.
   * @param failed Is told why sweeps fail, once until one succeeds again.
   */
  constructor(
    { defaultTtl, ...options }: TtlOptions,
    run: (sweep: Sweep) => Promise<unknown>,
    failed: (thrown: unknown) => void,
    clock: SweeperClock = systemClock,
  ) {
    const {
      strategy = DEFAULTS.strategy,
      sweepInterval = DEFAULTS.sweepInterval,
      sweepLimit = DEFAULTS.sweepLimit,
    } = options;
    this.#intervalMs = sweepInterval * MINUTE_MS;
    this.#sweep = {
      idleFor: defaultTtl * MINUTE_MS,
      strategy,
      limit: sweepLimit,
      leaseMs: this.#intervalMs,
      now: () => clock.now(),
      throwIfAborted: () => {
        if (this.#isStopped) throw new Error("the saver was closed");
      },
    };
    this.#run = run;
    this.#failed = failed;
    this.#clock = clock;
    this.#schedule(Math.min(FIRST_MS, this.#intervalMs));
  }

  /** Resolves when no sweep is under way. Never rejects. */
  get ended(): Promise<void> {
    return this.#underWay;
  }

  /** Stops: a sweep under way ends before its next thread, and there is no other. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #schedule(milliseconds: number): void {
    this.#cancel = this.#clock.later(milliseconds, () => {
      this.#underWay = this.#once();
    });
  }

  async #once(): Promise<void> {
    try {
      await this.#run(this.#sweep);
      this.#hasFailed = false;
    } catch (thrown) {
      if (!this.#isStopped && !this.#hasFailed) this.#failed(thrown);
      this.#hasFailed = true;
    }
    if (!this.#isStopped) this.#schedule(this.#intervalMs);
  }
}
