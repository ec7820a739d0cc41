import type { Call, Ended, Made, Outcome, Repeat } from "../planner/contract.js";
import { type Eventually, isPending } from "../platform/maybe-promise.js";
import { timers } from "../platform/timers.js";

/** At most this many calls are made together. */
const TOGETHER_MAX = 256;

/** Runs calls, one at a time or together. */
export interface Runs {
  one(call: Call): Eventually<Outcome>;
  together(calls: readonly Call[]): Promise<readonly Ended[]>;
}

interface Job {
  readonly call: Call;
  /** Repeats the call with whole values if its outcome is stale. */
  readonly whole: Repeat | undefined;
  /** Whether it may be made together with its neighbours. */
  readonly joins: boolean;
  resolve(outcome: Eventually<Outcome>): void;
  reject(failure: unknown): void;
}

/** Starts a read. The promise never rejects. */
type Read = () => Promise<unknown>;

/**
 * The lanes of all threads: each has the calls of its thread, in the order they were made.
 *
 * A call that writes waits for the end of the turn and for the calls before it. All that have
 * gathered by then are sent together. A read starts at once if no write of its thread is before it.
 * A write waits for the reads before it.
 */
export class Lanes {
  readonly #runs: Runs;
  readonly #lanes = new Map<string, Lane>();
  /** The calls about all threads that have not ended. */
  readonly #ofAll = new Set<Promise<unknown>>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  run(call: Call, { thread, due, joins }: Made, whole?: Repeat): Eventually<Outcome> {
    if (thread === undefined) return this.#runOnAll(call);
    const lane = this.#lanes.get(thread) ?? this.#begun(thread);
    if (due === "now") return lane.read(() => this.#runs.one(call));
    return lane.add(call, joins, whole);
  }

  #begun(thread: string): Lane {
    const lane = new Lane(this.#runs, () => this.#lanes.delete(thread));
    for (const read of this.#ofAll) lane.holdFor(read);
    this.#lanes.set(thread, lane);
    return lane;
  }

  /**
   * A call about all threads runs after the earlier calls of every thread and before the later
   * ones.
   */
  #runOnAll(call: Call): Eventually<Outcome> {
    if (this.#lanes.size === 0) return this.#tracked(this.#runs.one(call));
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const reached = [...this.#lanes.values()].map((lane) => {
      return new Promise<void>((reach) => {
        lane.queue(() => {
          reach();
          return ended;
        });
      });
    });
    const outcome = Promise.all(reached).then(() => this.#runs.one(call));
    this.#tracked(outcome.finally(end));
    return outcome;
  }

  #tracked(outcome: Eventually<Outcome>): Eventually<Outcome> {
    if (!isPending(outcome)) return outcome;
    const ended = outcome.then(ignored, ignored);
    this.#ofAll.add(ended);
    void ended.then(() => this.#ofAll.delete(ended));
    return outcome;
  }
}

/** The calls of a thread that are waiting or under way. */
class Lane {
  readonly #runs: Runs;
  readonly #whenIdle: () => void;
  readonly #jobs: (Job | Read)[] = [];
  /** The reads under way. */
  readonly #reads = new Set<Promise<unknown>>();
  #isScheduled = false;
  #isWriting = false;

  constructor(runs: Runs, whenIdle: () => void) {
    this.#runs = runs;
    this.#whenIdle = whenIdle;
  }

  add(call: Call, joins: boolean, whole: Repeat | undefined): Promise<Outcome> {
    const added = new Promise<Outcome>((resolve, reject) => {
      this.#jobs.push({ call, joins, whole, resolve, reject });
    });
    this.#schedule();
    return added;
  }

  /** Starts a read, at once if no write is before it. */
  read(run: () => Eventually<Outcome>): Eventually<Outcome> {
    if (this.#jobs.length === 0 && !this.#isWriting) {
      let outcome: Eventually<Outcome> | undefined;
      try {
        outcome = run();
        return outcome;
      } finally {
        if (isPending(outcome)) this.holdFor(outcome.then(ignored, ignored));
        else this.#next();
      }
    }
    return new Promise((resolve, reject) => {
      this.queue(async () => {
        try {
          resolve(await run());
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }

  /** Adds a read that starts after the calls before it. */
  queue(read: Read): void {
    this.#jobs.push(read);
    this.#schedule();
  }

  /** Makes writes wait for a read that has started. */
  holdFor(read: Promise<unknown>): void {
    this.#reads.add(read);
    void read.then(() => {
      this.#reads.delete(read);
      if (this.#reads.size === 0) this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    timers.setImmediate(() => {
      this.#isScheduled = false;
      this.#next();
    });
  }

  /** Starts what comes next: reads up to the next write, or writes up to the next read. */
  #next(): void {
    for (let [job] = this.#jobs; job !== undefined; [job] = this.#jobs) {
      if (typeof job === "function") {
        this.#jobs.shift();
        this.holdFor(job());
        continue;
      }
      if (this.#reads.size > 0) return;
      this.#write(this.#run(this.#takeWrites(job)));
      return;
    }
    if (this.#reads.size === 0) this.#whenIdle();
  }

  /** Takes the writes that are made next: the first one, and those after it that join it. */
  #takeWrites(first: Job): Job[] {
    const end = this.#jobs.findIndex((job) => typeof job === "function" || !job.joins);
    const count = Math.min(end < 0 ? this.#jobs.length : end, TOGETHER_MAX);
    return first.joins
      ? (this.#jobs.splice(0, count) as Job[])
      : (this.#jobs.splice(0, 1) as Job[]);
  }

  #write(running: Promise<void>): void {
    this.#isWriting = true;
    void running.finally(() => {
      this.#isWriting = false;
      // Waits a turn, as LangGraph's next calls follow in the turn in which this one ended.
      this.#schedule();
    });
  }

  async #run(jobs: readonly Job[]): Promise<void> {
    // A stale call is repeated, and after it those behind it: a later put of the same checkpoint
    // must win. Every call may be repeated.
    const again: Job[] = [];
    try {
      const ended = await this.#ended(jobs.map(({ call }) => call));
      for (const [index, job] of jobs.entries()) {
        const end = ended[index];
        const outcome = end !== undefined && "outcome" in end ? end.outcome : undefined;
        if (outcome?.tag === "stale" && job.whole !== undefined) {
          again.push({ ...job, call: job.whole(outcome.val), whole: undefined });
        } else if (again.length > 0) again.push(job);
        else if (outcome === undefined)
          job.reject(end !== undefined && "failure" in end ? end.failure : undefined);
        else job.resolve(outcome);
      }
    } catch (thrown) {
      for (const job of jobs) job.reject(thrown);
    }
    // In front of later calls.
    this.#jobs.unshift(...again);
  }

  async #ended(calls: readonly Call[]): Promise<readonly Ended[]> {
    const [first, ...more] = calls;
    if (first === undefined || more.length > 0) return this.#runs.together(calls);
    return [{ outcome: await this.#runs.one(first) }];
  }
}

function ignored(): void {}
