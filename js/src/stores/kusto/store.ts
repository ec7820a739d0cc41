import { ProtocolError, StorageError } from "../../errors.js";
import type { Call, Outcome } from "../../planner/contract.js";
import { twiceAtMost } from "../../planner/drive.js";
import { PlannerFailure } from "../../planner/instance.js";
import { expectOutcome, type Repeat, type Runner } from "../../planner/runner.js";
import { type Eventually, isPending, whenReady } from "../../platform/maybe-promise.js";
import { type Clock, later, Moments } from "./clock.js";
import { drive, driveAll, type World } from "./drive.js";
import { noteUnsent, type Unsent } from "./exit.js";
import {
  type Ended,
  type PlannedCall,
  type StoreCall,
  StoreGuest,
  type StoreOptions,
  type Waiting,
  type WriteCall,
} from "./guest.js";
import { Exchange, type Fetch } from "./http.js";
import { Lanes } from "./lanes.js";
import type { TokenSource } from "./token.js";

/** The longest time a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** How long a flush that failed in the background is left alone. */
const PAUSE_MS = 1000;

/** A call that is made alone. */
type OneCall = Exclude<StoreCall, { tag: "together" }>;

/** What a store is used through. */
export interface Surroundings {
  readonly fetch: Fetch;
  readonly tokens: TokenSource;
  readonly warn: (message: string) => void;
  /** Warns where there is no next turn. */
  readonly warnAtExit: (message: string) => void;
  readonly clock: Clock;
  readonly core?: WebAssembly.Module | undefined;
}

/** One table of a Kusto database: runs calls on it, and flushes what waits when it is time. */
export class KustoStore implements Runner, Unsent {
  readonly #options: StoreOptions;
  readonly #surroundings: Surroundings;
  readonly #moments: Moments;
  readonly #underWay = new Set<Promise<unknown>>();
  /** With write-behind nothing is sent for a call, so there is nothing to send together. */
  readonly #lanes: Lanes | undefined;
  #guest: StoreGuest;
  /** When the rows that wait are to be flushed. */
  #due: bigint | undefined;
  /** Takes the timer back. */
  #unschedule: (() => void) | undefined;
  /** The flush of the timer's. */
  #flushing: Promise<void> | undefined;
  #flushFailed = false;
  /** Whether what waits was tried to be sent at the end of the process. */
  #triedAtExit = false;
  #closed = false;
  /** Whether rows wait, or are on their way. */
  #waits = false;
  /** Who has not been told that rows which waited are lost. */
  readonly #untold = new Set<"call" | "flush" | "close">();

  constructor(options: StoreOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#moments = new Moments(surroundings.clock);
    this.#guest = new StoreGuest(options, surroundings.core);
    if ((options.batchSize ?? 1) > 1) return;
    this.#lanes = new Lanes({
      one: (call) => this.#run(call),
      together: (calls) => this.#runTogether(calls),
    });
  }

  readonly ordersCalls = true;

  run(call: Call, whole?: Repeat): Eventually<Outcome> {
    if (this.#closed) throw new StorageError("storage-closed", "the checkpointer is closed");
    this.#triedAtExit = false;
    if (this.#lanes !== undefined) return this.#tracked(this.#lanes.run(call, whole));
    return whenReady(this.#run(call), (outcome) => {
      return outcome.tag === "stale" && whole !== undefined
        ? this.#run(whole(outcome.val))
        : outcome;
    });
  }

  /** Flushes what waits, and what the calls under way may leave waiting. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    if (this.#closed) throw new StorageError("storage-closed", "the checkpointer is closed");
    expectOutcome(await this.#run({ tag: "flush" }), "ready");
    this.#tell("flush");
  }

  sendBeforeExit(): void {
    if (this.#triedAtExit) return;
    this.#triedAtExit = true;
    // What does not get through is told of at the exit.
    Promise.resolve()
      .then(() => this.#run({ tag: "flush" }))
      .catch(() => {});
  }

  unsent(): Waiting {
    const nothing = { checkpoints: 0, writes: 0, threads: 0 };
    return this.#guest.alive ? this.#guest.waiting() : nothing;
  }

  warnAtExit(message: string): void {
    this.#surroundings.warnAtExit(message);
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
    this.#tell("close");
  }

  #run(call: OneCall): Eventually<Outcome> {
    const outcome = twiceAtMost(() => drive(this.#start(call), this.#world()));
    if (!isPending(outcome)) {
      this.#after();
      return outcome;
    }
    const settled = this.#tracked(outcome.finally(() => this.#after()));
    // What a call that never waits leaves behind is not to wait for those that do.
    this.#after();
    return settled;
  }

  /** Notes that a call is under way, until it has ended. */
  #tracked(outcome: Eventually<Outcome>): Eventually<Outcome> {
    if (!isPending(outcome)) return outcome;
    const settled = outcome.finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
    return settled;
  }

  async #runTogether(calls: WriteCall[]): Promise<readonly Ended[]> {
    try {
      return await driveAll(this.#start({ tag: "together", val: calls }), this.#world());
    } catch (thrown) {
      if (!(thrown instanceof PlannerFailure)) throw thrown;
      // The one that makes it fail does so alone as well.
      return Promise.all(calls.map((call) => this.#alone(call)));
    } finally {
      this.#after();
    }
  }

  async #alone(call: WriteCall): Promise<Ended> {
    try {
      return { outcome: await this.#run(call) };
    } catch (thrown) {
      return { failure: thrown };
    }
  }

  #start(call: StoreCall): PlannedCall {
    if (!this.#guest.alive) this.#replaceGuest();
    // A flush may be the timer's, whose failure nobody hears of.
    if (call.tag !== "flush") this.#tell("call");
    return this.#guest.start(call, this.#moments.next());
  }

  #world(): World {
    const { fetch, tokens, clock } = this.#surroundings;
    return { exchange: new Exchange(fetch, tokens), clock, moments: this.#moments };
  }

  /** The rows that waited were in the memory of the instance that failed. */
  #replaceGuest(): void {
    this.#guest = new StoreGuest(this.#options, this.#surroundings.core, this.#guest);
    if (this.#waits) for (const who of ["call", "flush", "close"] as const) this.#untold.add(who);
    this.#due = undefined;
    this.#waits = false;
    noteUnsent(this, false);
  }

  #tell(who: "call" | "flush" | "close"): void {
    if (!this.#untold.delete(who)) return;
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
      this.#waits = this.#due !== undefined || this.#guest.waiting().threads > 0;
      noteUnsent(this, this.#waits);
    } catch (thrown) {
      // The next call replaces the instance.
      if (!(thrown instanceof PlannerFailure)) throw thrown;
    }
    this.#schedule();
  }

  #schedule(): void {
    this.#unschedule?.();
    this.#unschedule = undefined;
    if (this.#due === undefined || this.#flushing !== undefined || this.#closed) return;
    const left = Number(this.#due / 1000n) - this.#surroundings.clock.now();
    const least = this.#flushFailed ? PAUSE_MS : 0;
    // Rows that wait do not keep a process alive: they are sent when it is about to end.
    const pause = Math.min(Math.max(left, least), TIMER_MAX_MS);
    this.#unschedule = later(pause, () => this.#flushInBackground());
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
