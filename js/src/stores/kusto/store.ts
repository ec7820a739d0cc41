import { ProtocolError, StorageError } from "../../errors.js";
import type { Runner } from "../../langgraph/saver.js";
import {
  type Call,
  type Ended,
  expectOutcome,
  type Made,
  type Outcome,
  type Repeat,
  type Waiting,
} from "../../planner/contract.js";
import { afterLostAttempt, driveOnce, twiceAtMost } from "../../planner/drive.js";
import { PlannerFailure } from "../../planner/instance.js";
import { Planner } from "../../planner/planner.js";
import { type Eventually, isPending } from "../../platform/maybe-promise.js";
import { later } from "../../platform/timers.js";
import { Lanes } from "../lanes.js";
import { type Clock, Moments } from "./clock.js";
import { noteUnsent, type Unsent } from "./exit.js";
import { Exchange, type Fetch } from "./http.js";
import { ownCore } from "./login.js";
import { type StoreOptions, toWireStore } from "./options.js";
import { KustoServer } from "./server.js";
import type { TokenSource } from "./token.js";

/** The longest time that timers accept. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** The pause before a failed background flush is tried again. */
const PAUSE_MS = 1000;

/** The network, the clock and the warnings of a store. */
export interface Surroundings {
  readonly fetch: Fetch;
  readonly tokens: TokenSource;
  readonly warn: (message: string) => void;
  /** Warns while the process exits, when no next turn comes. */
  readonly warnAtExit: (message: string) => void;
  readonly clock: Clock;
  readonly core?: WebAssembly.Module | undefined;
}

/**
 * One table of a Kusto database. Runs calls on it, and flushes the waiting rows when they are due.
 */
export class KustoStore implements Runner, Unsent {
  readonly #surroundings: Surroundings;
  readonly #planner: Planner;
  readonly #underWay = new Set<Promise<unknown>>();
  /**
   * Undefined with write-behind: a call then sends nothing, so there is nothing to send together.
   */
  readonly #lanes: Lanes | undefined;
  /** When the waiting rows are to be flushed, in milliseconds since 1970. */
  #due: number | undefined;
  /** Cancels the timer. */
  #unschedule: (() => void) | undefined;
  /** The background flush under way. */
  #flushing: Promise<void> | undefined;
  #flushFailed = false;
  /** Whether the waiting rows were sent, or tried, at the end of the process. */
  #triedAtExit = false;
  #closed = false;
  /** The first `close`, until it fails. */
  #closing: Promise<void> | undefined;
  /** Whether rows wait or are being sent. */
  #waits = false;
  /** Which methods have yet to report that waiting rows were lost. */
  readonly #untold = new Set<"call" | "flush" | "close">();

  constructor(options: StoreOptions, surroundings: Surroundings) {
    this.#surroundings = surroundings;
    const moments = new Moments(surroundings.clock);
    this.#planner = new Planner({
      core: () => surroundings.core ?? ownCore(),
      store: toWireStore(options),
      moment: () => moments.next(),
      onReplaced: () => this.#replaced(),
    });
    this.#planner.open();
    if ((options.batchSize ?? 1) > 1) return;
    this.#lanes = new Lanes({
      one: (call) => this.#run(call),
      together: (calls) => this.#runTogether(calls),
    });
  }

  /** With write-behind most calls end at once, and others need those before them to have ended. */
  get ordersCalls(): boolean {
    return this.#lanes !== undefined;
  }

  run(call: Call, made: Made, whole?: Repeat): Eventually<Outcome> {
    if (this.#closed) throw closed();
    this.#triedAtExit = false;
    if (this.#lanes === undefined) return this.#run(call, whole);
    return this.#tracked(this.#lanes.run(call, made, whole));
  }

  async runStepwise(call: Call): Promise<Outcome> {
    // It sees what the calls before it have stored.
    await Promise.allSettled(this.#underWay);
    if (this.#closed) throw closed();
    return this.#run(call);
  }

  /** Flushes the waiting rows, including those of the calls under way. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    if (this.#closed) throw closed();
    expectOutcome(await this.#run({ tag: "flush" }), "ready");
    this.#tell("flush");
  }

  sendBeforeExit(): void {
    if (this.#triedAtExit) return;
    this.#triedAtExit = true;
    // If this fails, a warning at the exit reports the rows.
    Promise.resolve()
      .then(() => this.#run({ tag: "flush" }))
      .catch(() => {});
  }

  unsent(): Waiting {
    const nothing = { checkpoints: 0, writes: 0, threads: 0 };
    return this.#planner.status()?.waiting ?? nothing;
  }

  warnAtExit(message: string): void {
    this.#surroundings.warnAtExit(message);
  }

  /** Flushes, then refuses calls. Another `close` meanwhile waits for this one. */
  close(): Promise<void> {
    this.#closing ??= this.#close().catch((thrown: unknown) => {
      this.#closing = undefined;
      throw thrown;
    });
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    try {
      await Promise.allSettled(this.#underWay);
      expectOutcome(await this.#run({ tag: "flush" }), "ready");
    } catch (thrown) {
      // The rows still wait, and another attempt may succeed.
      this.#closed = false;
      throw thrown;
    } finally {
      this.#schedule();
    }
    this.#tell("close");
  }

  #run(call: Call, whole?: Repeat): Eventually<Outcome> {
    const outcome = twiceAtMost(() => this.#once(call, this.#server(), whole));
    if (!isPending(outcome)) return outcome;
    // Rows that calls without waiting have left are scheduled now, not after this call.
    this.#after();
    return this.#tracked(this.#afterFailure(outcome));
  }

  #once(call: Call, server: KustoServer, whole?: Repeat): Eventually<Outcome> {
    this.#planner.open();
    // Not at a flush, which may be the timer's: nobody would see the error.
    if (call.tag !== "flush") this.#tell("call");
    return driveOnce(this.#planner, call, server, undefined, whole);
  }

  #server(): KustoServer {
    const { fetch, tokens, clock } = this.#surroundings;
    return new KustoServer(new Exchange(fetch, tokens), clock, () => this.#after());
  }

  #afterFailure<T>(ended: Promise<T>): Promise<T> {
    return ended.catch((thrown: unknown) => {
      this.#after();
      throw thrown;
    });
  }

  /** Counts a call as under way until it has ended. */
  #tracked(outcome: Eventually<Outcome>): Eventually<Outcome> {
    if (!isPending(outcome)) return outcome;
    const settled = outcome.finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
    return settled;
  }

  async #runTogether(calls: readonly Call[]): Promise<readonly Ended[]> {
    try {
      const server = this.#server();
      const call = { tag: "together", val: calls } as const;
      const outcome = await this.#afterFailure(Promise.resolve(this.#once(call, server)));
      return expectOutcome(outcome, "together").val.map((ended) => {
        return "outcome" in ended ? ended : { failure: server.explained(ended.failure) };
      });
    } catch (thrown) {
      if (!(thrown instanceof PlannerFailure)) throw thrown;
      // Run one by one, only the call that makes the planner fail is affected. They stay in order.
      const ends: Ended[] = [];
      for (const call of calls) ends.push(await this.#alone(call, thrown.maybeStored));
      return ends;
    }
  }

  async #alone(call: Call, maybeStored: boolean): Promise<Ended> {
    const run = () => this.#run(call);
    try {
      return { outcome: await (maybeStored ? afterLostAttempt(run) : run()) };
    } catch (thrown) {
      return { failure: thrown };
    }
  }

  /** Notes that waiting rows are lost: they were in the memory of the instance that failed. */
  #replaced(): void {
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

  /** Passes on warnings of the planner, and schedules its next flush. */
  #after(): void {
    try {
      const status = this.#planner.status();
      // It is undefined if the instance failed. The next call replaces that.
      if (status !== undefined) {
        const { flushDue, waiting, warning } = status;
        if (warning !== undefined) this.#surroundings.warn(warning);
        this.#due = flushDue && Math.floor(flushDue / 1000);
        this.#waits = flushDue !== undefined || waiting.threads > 0;
        noteUnsent(this, this.#waits);
      }
    } catch (thrown) {
      if (!(thrown instanceof PlannerFailure)) throw thrown;
    }
    this.#schedule();
  }

  #schedule(): void {
    this.#unschedule?.();
    this.#unschedule = undefined;
    if (this.#due === undefined || this.#flushing !== undefined || this.#closed) return;
    const left = this.#due - this.#surroundings.clock.now();
    const least = this.#flushFailed ? PAUSE_MS : 0;
    // The timer does not keep the process alive. Waiting rows are sent before it ends.
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

function closed(): StorageError {
  return new StorageError("storage-closed", "the checkpointer is closed", { stored: "nothing" });
}
