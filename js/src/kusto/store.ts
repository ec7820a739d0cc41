import { twiceAtMost } from "../drive.js";
import { ProtocolError, StorageError } from "../errors.js";
import { type Eventually, isPending, whenReady } from "../eventually.js";
import type { Outcome } from "../guest.js";
import { PlannerFailure } from "../instance.js";
import { expectOutcome, type Runner } from "../runner.js";
import { timers } from "../timers.js";
import { type Clock, Moments } from "./clock.js";
import { drive } from "./drive.js";
import { type StoreCall, StoreGuest, type StoreOptions } from "./guest.js";
import { Exchange, type Fetch } from "./http.js";
import type { TokenSource } from "./token.js";

/** The longest time a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** How long a flush that failed in the background is left alone. */
const PAUSE_MS = 1000;

/** What a store is used through. */
export interface Surroundings {
  readonly fetch: Fetch;
  readonly tokens: TokenSource;
  readonly warn: (message: string) => void;
  readonly clock: Clock;
  readonly core?: WebAssembly.Module | undefined;
}

/** One table of a Kusto database: runs calls on it, and flushes what waits when it is time. */
export class KustoStore implements Runner {
  readonly #options: StoreOptions;
  readonly #surroundings: Surroundings;
  readonly #moments: Moments;
  readonly #underWay = new Set<Promise<unknown>>();
  #guest: StoreGuest;
  /** When the rows that wait are to be flushed. */
  #due: bigint | undefined;
  #timer: ReturnType<typeof timers.setTimeout> | undefined;
  /** The flush of the timer's. */
  #flushing: Promise<void> | undefined;
  #flushFailed = false;
  #closed = false;

  constructor(options: StoreOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#moments = new Moments(surroundings.clock);
    this.#guest = new StoreGuest(options, surroundings.core);
  }

  /** The store gives each call its place in time when it begins. */
  readonly ordersCalls = true;

  run(call: StoreCall, whole?: () => StoreCall): Eventually<Outcome> {
    if (this.#closed) throw new StorageError("storage-closed", "the checkpointer is closed");
    return whenReady(this.#run(call), (outcome) => {
      return outcome.tag === "stale" && whole !== undefined ? this.#run(whole()) : outcome;
    });
  }

  /** Flushes what waits, and what the calls under way may leave waiting. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    expectOutcome(await this.run({ tag: "flush" }), "ready");
  }

  /** Flushes, then refuses calls. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await Promise.allSettled(this.#underWay);
      expectOutcome(await this.#run({ tag: "flush" }), "ready");
    } catch (thrown) {
      // The rows still wait: another attempt may get them through.
      this.#closed = false;
      throw thrown;
    } finally {
      this.#schedule();
    }
  }

  #run(call: StoreCall): Eventually<Outcome> {
    const outcome = twiceAtMost(() => this.#runOnce(call));
    if (!isPending(outcome)) {
      this.#after();
      return outcome;
    }
    const settled = outcome.finally(() => {
      this.#underWay.delete(settled);
      this.#after();
    });
    this.#underWay.add(settled);
    // What a call that never waits leaves behind is not to wait for those that do.
    this.#after();
    return settled;
  }

  #runOnce(call: StoreCall): Eventually<Outcome> {
    if (!this.#guest.alive) this.#replaceGuest();
    const { fetch, tokens, clock } = this.#surroundings;
    const moments = this.#moments;
    const planned = this.#guest.start(call, moments.next());
    return drive(planned, { exchange: new Exchange(fetch, tokens), clock, moments });
  }

  /** The rows that waited were in the memory of the instance that failed. */
  #replaceGuest(): void {
    const lost = this.#due !== undefined;
    this.#due = undefined;
    this.#guest = new StoreGuest(this.#options, this.#surroundings.core);
    if (!lost) return;
    throw new ProtocolError(
      "planner-failed",
      "the planner failed: what was acknowledged and not flushed is lost; please report it",
    );
  }

  /** Passes on what the planner has to say beside outcomes. */
  #after(): void {
    try {
      const warning = this.#guest.takeWarning();
      if (warning !== undefined) this.#surroundings.warn(warning);
      this.#due = this.#guest.flushDue();
    } catch (thrown) {
      // The next call replaces the instance.
      if (!(thrown instanceof PlannerFailure)) throw thrown;
    }
    this.#schedule();
  }

  #schedule(): void {
    timers.clearTimeout(this.#timer);
    if (this.#due === undefined || this.#flushing !== undefined || this.#closed) return;
    const left = Number(this.#due / 1000n) - this.#surroundings.clock.now();
    const least = this.#flushFailed ? PAUSE_MS : 0;
    this.#timer = timers.setTimeout(
      () => this.#flushInBackground(),
      Math.min(Math.max(left, least), TIMER_MAX_MS),
    );
    // Rows that wait do not keep a process alive: `close` is what sends them.
    this.#timer.unref?.();
  }

  #flushInBackground(): void {
    if (this.#due === undefined || this.#flushing !== undefined || this.#closed) return;
    const flushing = Promise.resolve().then(() => this.#run({ tag: "flush" }));
    this.#flushing = flushing.then(
      () => this.#flushed(undefined),
      (thrown: unknown) => this.#flushed(thrown),
    );
  }

  #flushed(thrown: unknown): void {
    this.#flushing = undefined;
    if (thrown !== undefined && !this.#flushFailed) {
      const what = thrown instanceof Error ? thrown.message : "it failed";
      this.#surroundings.warn(`rows could not be flushed, and still wait: ${what}`);
    }
    this.#flushFailed = thrown !== undefined;
    this.#schedule();
  }
}
