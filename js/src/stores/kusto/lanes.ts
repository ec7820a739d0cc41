import type { Call, Outcome } from "../../planner/planner.js";
import type { Repeat } from "../../planner/runner.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import { isPending } from "../../platform/maybe-promise.js";
import { atTurnsEnd } from "./clock.js";
import type { Ended, WriteCall } from "./guest.js";

type Config = Extract<Call, { tag: "delete-thread" }>["val"];

/** How many calls are made together at most. */
const TOGETHER_MAX = 256;

/** What runs calls. */
export interface Runs {
  one(call: Call): Eventually<Outcome>;
  together(calls: WriteCall[]): Promise<readonly Ended[]>;
}

interface Job {
  readonly call: Call;
  /** Repeats the call with whole values where its outcome is stale. */
  readonly whole: Repeat | undefined;
  resolve(outcome: Eventually<Outcome>): void;
  reject(failure: unknown): void;
}

type WriteJob = Job & { readonly call: WriteCall };

/**
 * The calls of each thread, in the order they are called in.
 *
 * Calls that write wait for the end of the turn, and for those before them; what has come
 * together by then is sent together. A read begins at once where no write of its thread is before
 * it.
 */
export class Lanes {
  readonly #runs: Runs;
  readonly #lanes = new Map<string, Lane>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  run(call: Call, whole?: Repeat): Eventually<Outcome> {
    const thread = threadOf(call);
    if (thread === undefined) return this.#runOnAll(call);
    const lane = this.#lanes.get(thread);
    if (lane !== undefined) return lane.add(call, whole);
    if (!isWrite(call) && call.tag !== "delete-thread") return this.#runs.one(call);
    const made = new Lane(this.#runs, () => this.#lanes.delete(thread));
    this.#lanes.set(thread, made);
    return made.add(call, whole);
  }

  /** What is about all threads comes after what is before it on any. */
  #runOnAll(call: Call): Eventually<Outcome> {
    if (this.#lanes.size === 0) return this.#runs.one(call);
    const before = [...this.#lanes.values()].map((lane) => lane.settled());
    return Promise.all(before).then(() => this.#runs.one(call));
  }
}

/** The calls of a thread that has a write under way or waiting. */
class Lane {
  readonly #runs: Runs;
  readonly #whenIdle: () => void;
  readonly #jobs: Job[] = [];
  /** The last call that was added. */
  #last: Promise<unknown> = Promise.resolve();
  #isScheduled = false;
  #isWriting = false;

  constructor(runs: Runs, whenIdle: () => void) {
    this.#runs = runs;
    this.#whenIdle = whenIdle;
  }

  add(call: Call, whole: Repeat | undefined): Promise<Outcome> {
    const added = new Promise<Outcome>((resolve, reject) => {
      this.#jobs.push({ call, whole, resolve, reject });
    });
    const both = [this.#last, added];
    this.#last = Promise.allSettled(both);
    this.#schedule();
    return added;
  }

  /** Resolves when the calls so far have ended. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    atTurnsEnd(() => {
      this.#isScheduled = false;
      this.#next();
    });
  }

  /** Begins what comes next: reads, up to the next write, or writes, up to the next read. */
  #next(): void {
    while (this.#jobs.length > 0) {
      const writes = this.#takeWrites();
      if (writes.length > 0) {
        this.#write(this.#run(writes));
        return;
      }
      const job = this.#jobs.shift();
      if (job === undefined) break;
      const running = settle(job, () => this.#runs.one(job.call));
      if (job.call.tag === "delete-thread") {
        this.#write(running);
        return;
      }
    }
    this.#whenIdle();
  }

  #takeWrites(): WriteJob[] {
    const end = this.#jobs.findIndex(({ call }) => !isWrite(call));
    const count = Math.min(end < 0 ? this.#jobs.length : end, TOGETHER_MAX);
    return this.#jobs.splice(0, count) as WriteJob[];
  }

  #write(running: Promise<void>): void {
    this.#isWriting = true;
    void running.finally(() => {
      this.#isWriting = false;
      // What follows in LangGraph upon a call that has ended belongs to the same turn.
      this.#schedule();
    });
  }

  async #run(jobs: WriteJob[]): Promise<void> {
    const again: Job[] = [];
    try {
      const ended = await this.#ended(jobs.map(({ call }) => call));
      for (const [index, job] of jobs.entries()) {
        const end = ended[index];
        if (end === undefined || !("outcome" in end)) job.reject(end?.failure);
        else if (end.outcome.tag !== "stale" || job.whole === undefined) job.resolve(end.outcome);
        else again.push({ ...job, call: job.whole(end.outcome.val), whole: undefined });
      }
    } catch (thrown) {
      for (const job of jobs) job.reject(thrown);
    }
    // Before what was called later.
    this.#jobs.unshift(...again);
  }

  async #ended(calls: WriteCall[]): Promise<readonly Ended[]> {
    const [first, ...more] = calls;
    if (first === undefined || more.length > 0) return this.#runs.together(calls);
    return [{ outcome: await this.#runs.one(first) }];
  }
}

async function settle(job: Job, run: () => Eventually<Outcome>): Promise<void> {
  try {
    const outcome = run();
    job.resolve(isPending(outcome) ? await outcome : outcome);
  } catch (thrown) {
    job.reject(thrown);
  }
}

function isWrite(call: Call): call is WriteCall {
  return call.tag === "put" || call.tag === "put-writes";
}

/** The one thread a call is about. */
function threadOf(call: Call): string | undefined {
  if (call.tag === "setup") return undefined;
  const config: Partial<Config> = call.tag === "delete-thread" ? call.val : call.val.config;
  const id = config?.threadId;
  return id?.tag === "text" || id?.tag === "number" ? String(id.val) : undefined;
}
