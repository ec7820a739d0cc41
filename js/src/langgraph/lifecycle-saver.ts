import type { RunnableConfig } from "@langchain/core/runnables";

import { InvalidInputError } from "../errors.js";
import { checkNames } from "../options.js";
import type { Keep, Lease, Problem, Pruned, Stats, Work } from "../planner/contract.js";
import { timers } from "../platform/timers.js";
import { toConfig, toId } from "./convert.js";
import { type Difference, type DiffOptions, loaded } from "./difference.js";
import { guarded } from "./edge.js";
import { PlannedSaver } from "./saver.js";
import type { Sweep } from "./sweeper.js";

/** How far a call about several threads has come. */
export type Progress = Omit<Work, "next">;

/** An `AbortSignal`. The type is in no library that every program has. */
export interface StopSignal {
  throwIfAborted(): void;
}

/** How a call that removes something runs. */
export interface WorkOptions {
  /** Whether to count only, and remove nothing. Defaults to false. */
  readonly dryRun?: boolean | undefined;
  /** Stops the call between two threads. It then rejects with the signal's reason. */
  readonly signal?: StopSignal | undefined;
  /** Called after each thread, with what was done so far. */
  readonly onProgress?: ((done: Progress) => void) | undefined;
}

/** What stays of each namespace of a thread. */
export interface KeepOptions {
  /**
   * `"keep_latest"` keeps the newest checkpoint, `"delete"` (or `"delete_all"`) nothing. Defaults
   * to `"keep_latest"`.
   */
  readonly strategy?: "keep_latest" | "delete" | "delete_all" | undefined;
  /** Keeps this many of the newest checkpoints, at least 1. */
  readonly keepLast?: number | undefined;
  /** Keeps the checkpoints from this time on, and the newest. */
  readonly newerThan?: Date | undefined;
}

/** Which threads expire, and what stays of them. */
export interface ExpireOptions extends WorkOptions, KeepOptions {
  /** Milliseconds since the newest checkpoint of a thread. */
  readonly idleFor: number;
  /** At most this many threads. */
  readonly limit?: number | undefined;
}

/** Which threads a page has. */
export interface ThreadsOptions {
  /** At most this many threads in the page. Defaults to 100. */
  readonly limit?: number | undefined;
  /** The `next` of the previous page. */
  readonly after?: Uint8Array | undefined;
  /** Only threads whose newest checkpoint was put before this time. */
  readonly idleSince?: Date | undefined;
  /** Only threads whose id begins with this text. */
  readonly idPrefix?: string | undefined;
  /** Only threads whose newest checkpoint has these values in its metadata. */
  readonly metadata?: Record<string, unknown> | undefined;
}

/** How much a vacuum gives back. */
export interface VacuumOptions {
  /** At most this many pages, mostly of 4 KB. By default all that are free. */
  readonly pages?: number | undefined;
  /** Stops the call between two steps. It then rejects with the signal's reason. */
  readonly signal?: StopSignal | undefined;
}

const VACUUM = ["pages", "signal"] satisfies (keyof VacuumOptions)[];
const WORK = ["dryRun", "signal", "onProgress"] satisfies (keyof WorkOptions)[];
const KEEP = ["strategy", "keepLast", "newerThan"] satisfies (keyof KeepOptions)[];
const EXPIRE = [...WORK, ...KEEP, "idleFor", "limit"] satisfies (keyof ExpireOptions)[];
const THREADS = [
  "limit",
  "after",
  "idleSince",
  "idPrefix",
  "metadata",
] satisfies (keyof ThreadsOptions)[];

/** What is known of a thread without reading its state. */
export interface ThreadInfo {
  readonly threadId: string;
  /** The newest checkpoint. */
  readonly checkpointId: string;
  /** When it was put, as ISO 8601. */
  readonly ts: string;
  readonly metadata: Record<string, unknown>;
  /** The number of namespaces. */
  readonly namespaces: number;
  readonly checkpoints: number;
  /** The number of pending writes. */
  readonly writes: number;
}

/** A page of threads, the one with the newest checkpoint first. */
export interface ThreadsPage {
  readonly threads: readonly ThreadInfo[];
  /** For `after`; undefined if this is the last page. */
  readonly next: Uint8Array | undefined;
}

/**
 * The calls about whole threads. Other calls run meanwhile: none holds a lock for longer than a
 * batch takes.
 */
export abstract class LifecycleSaver extends PlannedSaver {
  /**
   * Removes the older checkpoints of threads, with the values that nothing else needs. Kept
   * checkpoints read as before: what their delta channels, their old sends and their pending writes
   * need stays.
   *
   * @param threadIds The threads. One that does not exist is no error.
   * @returns What was removed.
   */
  prune(threadIds: readonly string[], options: WorkOptions & KeepOptions = {}): Promise<Progress> {
    return stoppable(options, [...WORK, ...KEEP], async () => {
      const val = ids(threadIds).map((id) => toId("thread_id", id));
      const keep = keepOf(options);
      const done = await this.#work({ tag: "threads", val }, keep, options);
      if (keep.tag === "nothing" && !options.dryRun) for (const id of threadIds) this.forget(id);
      return done;
    });
  }

  /**
   * Removes the checkpoints of these runs, in all threads. A checkpoint's run is the `run_id` of
   * its metadata, or else of the `metadata` or `configurable` of the config of its `put`.
   *
   * @returns What was removed.
   */
  deleteForRuns(runIds: readonly string[], options: WorkOptions = {}): Promise<Progress> {
    return stoppable(options, WORK, async () => {
      const val = ids(runIds).map((id) => toId("run_id", id));
      return this.#work({ tag: "runs", val }, { tag: "latest" }, options);
    });
  }

  /**
   * Prunes the threads that nobody has put a checkpoint to for a while.
   *
   * @returns What was removed.
   */
  expire(options: ExpireOptions): Promise<Progress> {
    return stoppable(options, EXPIRE, async () => {
      const { idleFor, limit } = options;
      const isTime = typeof idleFor === "number" && idleFor >= 0;
      if (!isTime) throw invalid("idleFor is not a number of milliseconds, at least 0");
      const idle = new Date(Math.max(0, timers.now() - idleFor)).toISOString();
      return this.#work({ tag: "idle", val: idle }, keepOf(options), options, limit);
    });
  }

  /** Prunes idle threads, unless another process has the right to. */
  protected sweep(sweep: Sweep): Promise<Progress> {
    return guarded(async () => {
      const { idleFor, strategy, limit, leaseMs } = sweep;
      const lease = () => ({ nowMs: sweep.now(), lengthMs: leaseMs });
      const idle = new Date(Math.max(0, sweep.now() - idleFor)).toISOString();
      const options = { signal: sweep };
      return this.#work({ tag: "idle", val: idle }, keepOf({ strategy }), options, limit, lease);
    });
  }

  /**
   * Gives free pages of a SQLite file back to its file system, in steps of about 1 MB between which
   * other calls run. The file becomes shorter when SQLite next moves its log into it.
   *
   * @returns The bytes given back. Throws `no-incremental-vacuum` if the file cannot give any back
   *   without SQLite's `VACUUM`.
   */
  vacuum(options: VacuumOptions = {}): Promise<Pick<Progress, "bytes">> {
    return stoppable(options, VACUUM, async () => {
      const { pages, signal } = options;
      if (pages !== undefined && !(pages >= 0)) {
        throw invalid("pages is not a number of pages, at least 0");
      }
      let resume: Uint8Array | undefined;
      while (true) {
        signal?.throwIfAborted();
        const call = { tag: "vacuum", val: { pages, resume } } as const;
        const { val: work } = await this.runStepwise(call, "worked");
        if (work.next === undefined) return { bytes: work.bytes };
        resume = work.next;
      }
    });
  }

  /**
   * Copies a thread: all its namespaces, checkpoints and pending writes, with their ids. The copy
   * shares nothing with its source.
   *
   * @param source The thread to copy.
   * @param target The new thread, which must not exist.
   * @param options `keep: "latest"` copies only what a prune would keep.
   * @returns What was copied.
   */
  copyThread(
    source: string,
    target: string,
    options: { readonly keep?: "latest" | undefined } = {},
  ): Promise<Progress> {
    return guarded(async () => {
      checkNames(options, ["keep"]);
      const { keep } = options;
      if (keep !== undefined && keep !== "latest") throw invalid('keep is not "latest"');
      const val = {
        source: toId("thread_id", source),
        target: toId("thread_id", target),
        latestOnly: keep === "latest",
      };
      const { val: work } = await this.runStepwise({ tag: "copy-thread", val }, "worked");
      return progressOf(work);
    });
  }

  /** Reads a page of threads, the one with the newest checkpoint first. No state is read. */
  threads(options: ThreadsOptions = {}): Promise<ThreadsPage> {
    return guarded(async () => {
      checkMembers(options, THREADS);
      const { limit, after, idleSince, idPrefix, metadata } = options;
      const filter = await this.toFilter(metadata ?? {});
      const val = {
        limit,
        idleSince: iso("idleSince", idleSince),
        idPrefix,
        filter,
        resume: after,
      };
      const { val: page } = await this.runStepwise({ tag: "threads", val }, "threads");
      const threads = page.threads.map(async ({ metadata, ...thread }) => {
        const { kind, bytes } = metadata;
        return { ...thread, metadata: await this.serde.loadsTyped(kind, bytes) };
      });
      return { threads: await Promise.all(threads), next: page.next };
    });
  }

  /**
   * Counts what is stored, without what the store adds.
   *
   * @param threadId The thread; all threads if it is left out.
   */
  stats(threadId?: string): Promise<Stats> {
    return guarded(async () => {
      const val = toId("thread_id", threadId);
      const { val: stats } = await this.runStepwise({ tag: "stats", val }, "stats");
      return stats;
    });
  }

  /**
   * Reads everything of a thread, or of all threads, and names what is damaged. Costs as much as
   * reading all that is stored. If all threads are read, SQLite checks its file, too.
   *
   * @param threadId The thread; all threads if it is left out.
   */
  verify(
    threadId?: string,
    options: Omit<WorkOptions, "dryRun"> = {},
  ): Promise<Progress & { readonly problems: readonly Problem[] }> {
    return stoppable(options, ["signal", "onProgress"], async () => {
      const thread = toId("thread_id", threadId);
      const all: Problem[] = [];
      let resume: Uint8Array | undefined;
      while (true) {
        options.signal?.throwIfAborted();
        const val = { thread, resume };
        const { val: verified } = await this.runStepwise({ tag: "verify", val }, "verified");
        const { problems, ...work } = verified;
        all.push(...problems);
        const done = progressOf(work);
        options.onProgress?.(done);
        if (work.next === undefined) return { ...done, problems: all };
        resume = work.next;
      }
    });
  }

  /**
   * What differs between a checkpoint and an earlier one, by default its parent: what a superstep
   * changed. Hashes are compared, so what both have is not read.
   *
   * @param config The checkpoint, with its `checkpoint_id`.
   * @returns Undefined if one of them is not stored.
   */
  diff(config: RunnableConfig, options: DiffOptions = {}): Promise<Difference | undefined> {
    return guarded(async () => {
      checkMembers(options, ["before", "values"]);
      const { before, values = false } = options;
      const given = { config: toConfig(config), before: toId("before", before), values };
      const { val: found } = await this.runStepwise({ tag: "diff", val: given }, "differences");
      return found && loaded(found, (kind, bytes) => this.serde.loadsTyped(kind, bytes));
    });
  }

  async #work(
    pruned: Pruned,
    keep: Keep,
    { dryRun = false, signal, onProgress }: WorkOptions,
    limit?: number,
    lease?: () => Lease,
  ): Promise<Progress> {
    let resume: Uint8Array | undefined;
    while (true) {
      signal?.throwIfAborted();
      const val = { pruned, keep, limit, dryRun, lease: lease?.(), resume };
      const { val: work } = await this.runStepwise({ tag: "prune", val }, "worked");
      const done = progressOf(work);
      onProgress?.(done);
      if (work.next === undefined) return done;
      resume = work.next;
    }
  }
}

/**
 * Runs a call whose options have these names: one that is mistyped must not remove more than was
 * meant. If the caller has stopped the call, its error is the caller's reason.
 */
async function stoppable<T>(
  options: WorkOptions,
  names: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await guarded(() => {
      checkMembers(options, names);
      return run();
    });
  } catch (thrown) {
    options?.signal?.throwIfAborted();
    throw thrown;
  }
}

/** Throws for options of other names, or of other kinds than these. */
function checkMembers(options: object, names: readonly string[]): void {
  checkNames(options, names);
  for (const [name, value] of Object.entries(options)) {
    const [is, what] = KINDS[name] ?? [];
    if (is !== undefined && value !== undefined && !is(value)) throw invalid(`${name} is ${what}`);
  }
}

/** What the planner is passed as it is: whether a value is that, and what is wrong otherwise. */
const KINDS: Readonly<Record<string, readonly [is: (value: unknown) => boolean, what: string]>> = {
  dryRun: [(value) => typeof value === "boolean", "neither true nor false"],
  values: [(value) => typeof value === "boolean", "neither true nor false"],
  limit: [(value) => value === null || typeof value === "number", "not a number"],
  pages: [(value) => value === null || typeof value === "number", "not a number of pages"],
  idPrefix: [(value) => value === null || typeof value === "string", "not a text"],
  // A `Uint8Array` of another realm is one, too.
  after: [(value) => value === null || ArrayBuffer.isView(value), "not the next of a page"],
};

/** A list of ids. A text alone would be taken for a list of its characters. */
function ids(given: readonly string[]): readonly string[] {
  if (Array.isArray(given)) return given;
  throw invalid("the ids are not a list; pass a list of them");
}

function progressOf({ next: _, ...done }: Work): Progress {
  return done;
}

function keepOf({ strategy = "keep_latest", keepLast, newerThan }: KeepOptions): Keep {
  if (strategy !== "keep_latest") {
    if (strategy !== "delete" && strategy !== "delete_all") {
      throw invalid('strategy is not "keep_latest" or "delete"');
    }
    if (keepLast !== undefined || newerThan !== undefined) {
      throw invalid("keepLast and newerThan are for the strategy keep_latest");
    }
    return { tag: "nothing" };
  }
  if (keepLast !== undefined && newerThan !== undefined) {
    throw invalid("keepLast and newerThan exclude each other");
  }
  if (newerThan !== undefined) return { tag: "newer-than", val: iso("newerThan", newerThan) };
  if (keepLast === undefined) return { tag: "latest" };
  if (!Number.isInteger(keepLast) || keepLast < 0 || keepLast > 0xffff_ffff) {
    throw invalid("keepLast is not a whole number, at least 1");
  }
  return { tag: "last", val: keepLast };
}

function iso(name: string, time: Date): string;
function iso(name: string, time: Date | undefined): string | undefined;
function iso(name: string, time: Date | undefined): string | undefined {
  if (time === undefined) return undefined;
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
    throw invalid(`${name} is not a Date`);
  }
  return time.toISOString();
}

function invalid(what: string): InvalidInputError {
  return new InvalidInputError("invalid-argument", what);
}
