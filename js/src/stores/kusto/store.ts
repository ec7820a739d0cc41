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
import { driveOnce, twiceAtMost } from "../../planner/drive.js";
import { PlannerFailure } from "../../planner/instance.js";
import { Planner } from "../../planner/planner.js";
import { type Eventually, isPending } from "../../platform/maybe-promise.js";
import { type Clock, later, Moments } from "./clock.js";
import { noteUnsent, type Unsent } from "./exit.js";
import { Exchange, type Fetch } from "./http.js";
import { Lanes } from "./lanes.js";
import { ownCore } from "./login.js";
import { type StoreOptions, toWireStore } from "./options.js";
import { KustoServer } from "./server.js";
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
  /** Warns where there is no next turn. */
  readonly warnAtExit: (message: string) => void;
  readonly clock: Clock;
  readonly core?: WebAssembly.Module | undefined;
}

/** One table of a Kusto database: runs calls on it, and flushes what waits when it is time. */
export class KustoStore implements Runner, Unsent {
  readonly #surroundings: Surroundings;
  readonly #planner: Planner;
  readonly #underWay = new Set<Promise<unknown>>();
  /** With write-behind nothing is sent for a call, so there is nothing to send together. */
  readonly #lanes: Lanes | undefined;
  /** When the rows that wait are to be flushed, in milliseconds since 1970. */
  #due: number | undefined;
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

  readonly ordersCalls = true;

  run(call: Call, made: Made, whole?: Repeat): Eventually<Outcome> {
    if (this.#closed) throw new StorageError("storage-closed", "the checkpointer is closed");
    this.#triedAtExit = false;
    if (this.#lanes === undefined) return this.#run(call, whole);
    return this.#tracked(this.#lanes.run(call, made, whole));
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
    return this.#planner.status()?.waiting ?? nothing;
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

  #run(call: Call, whole?: Repeat): Eventually<Outcome> {
    const outcome = twiceAtMost(() => this.#once(call, this.#server(), whole));
    if (!isPending(outcome)) return outcome;
    // What a call that never waits leaves behind is not to wait for those that do.
    this.#after();
    return this.#tracked(this.#afterFailure(outcome));
  }

  #once(call: Call, server: KustoServer, whole?: Repeat): Eventually<Outcome> {
    this.#planner.open();
    // A flush may be the timer's, whose failure nobody hears of.
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

  /** Notes that a call is under way, until it has ended. */
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
      // The one that makes it fail does so alone as well.
      return Promise.all(calls.map((call) => this.#alone(call)));
    }
  }

  async #alone(call: Call): Promise<Ended> {
    try {
      return { outcome: await this.#run(call) };
    } catch (thrown) {
      return { failure: thrown };
    }
  }

  /** The rows that waited were in the memory of the instance that failed. */
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

  /** Passes on what the planner has to say beside outcomes. */
  #after(): void {
    try {
      const status = this.#planner.status();
      // The next call replaces an instance that failed.
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
