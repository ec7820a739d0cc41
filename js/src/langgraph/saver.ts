import type { RunnableConfig } from "@langchain/core/runnables";
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type DeltaChannelHistory,
  type PendingWrite,
  type SerializerProtocol,
} from "@langchain/langgraph-checkpoint";
import { Cache, type Entry, hasValues, idOf, toBefore } from "../changes/cache.js";
import { writeChannel } from "../changes/channel.js";
import type { Before } from "../changes/diff.js";
import { completed } from "../changes/histories.js";
import { reviveCached } from "../changes/revive-cached.js";
import { type Revived, revive, type Tracked } from "../changes/value.js";
import { lateInside } from "../errors.js";
import { CACHE_BYTES, type CacheOptions, type CallOptions, type CallReport } from "../options.js";
import {
  type Call,
  expectOutcome,
  type FoundCheckpoint,
  type List,
  type Made,
  type NewValue,
  type Outcome,
  type OutcomeOf,
  type Repeat,
  referenceToNothing,
} from "../planner/contract.js";
import { allReady, bothReady, type Eventually, whenReady } from "../platform/maybe-promise.js";
import { dumpAll, leavesOut, type Payload, placed } from "../serde/payload.js";
import { JsonPlusSerde } from "../serde/serializer.js";
import { CallOrder } from "./call-order.js";
import { CallReports, type ReportedCall } from "./call-reports.js";
import {
  fromHistory,
  fromIds,
  fromTuple,
  headOf,
  toConfig,
  toId,
  toName,
  toPutCall,
} from "./convert.js";
import {
  givenCheckpoint,
  givenConfig,
  givenHistory,
  givenOptions,
  givenVersions,
  givenWrites,
  guarded,
  guardedEach,
} from "./edge.js";
import { asCompared } from "./filter.js";
import { SharedValues } from "./list-page.js";
import { nextTextVersion } from "./versions.js";

/** Runs calls on one store. */
export interface Runner {
  /**
   * How many calls have run inside a transaction of the caller's. The caller may still roll it
   * back, so results of such calls are not cached. Undefined if the store has no such transactions.
   */
  readonly joined?: number | undefined;
  /**
   * Whether a transaction of the caller's is open. Undefined if the store has no such transactions.
   */
  readonly inTransaction?: boolean | undefined;
  /** Whether calls take effect in the order of `run`, even if one does not wait for another. */
  readonly ordersCalls: boolean;
  /**
   * Starts a call in the caller's turn of the event loop and runs it to its outcome.
   *
   * @param call The call.
   * @param made How it was made. A call made inside the caller's transaction runs in this turn.
   * @param whole Repeats a call whose outcome is stale, with whole values.
   */
  run(call: Call, made: Made, whole?: Repeat): Eventually<Outcome>;
  /** Runs a call batch by batch, and other calls between its batches. */
  runStepwise(call: Call): Promise<Outcome>;
}

/** What a store has to know about the calls of a method. */
type CallTraits = Pick<Made, "due" | "joins">;

const READ: CallTraits = { due: "now", joins: false };
// LangGraph goes on once this promise resolves, and may then change the objects of the checkpoint.
const PUT: CallTraits = { due: "microtask", joins: true };
// The put of the superstep follows in the same turn, and takes these writes along.
const PUT_WRITES: CallTraits = { due: "turn", joins: true };
const DELETE: CallTraits = { due: "microtask", joins: false };

/**
 * A LangGraph.js checkpointer on the planner, for any store.
 *
 * Arguments are serialized before a method first waits, so the caller may change them afterwards.
 * The calls of a thread take effect in the order they are made.
 */
export abstract class PlannedSaver extends BaseCheckpointSaver {
  readonly #runner: Runner;
  readonly #order: CallOrder;
  readonly #cache: Cache;
  readonly #immutable: ReadonlySet<string>;
  /** Undefined without the option `onCall`; then nothing is measured. */
  readonly #reports: CallReports | undefined;

  /**
   * @param runner Runs the calls.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The size of the cache, what is immutable, and the observer of calls.
   */
  constructor(
    runner: Runner,
    serde: SerializerProtocol = new JsonPlusSerde(),
    options: CacheOptions & CallOptions = {},
  ) {
    super(serde);
    this.#runner = runner;
    this.#order = new CallOrder(runner.ordersCalls);
    this.#cache = new Cache(options.cacheBytes ?? CACHE_BYTES);
    this.#immutable = new Set(options.assumeImmutable);
    const { onCall } = options;
    this.#reports = onCall && new CallReports(onCall);
  }

  /**
   * Creates the store's tables, or throws an error that names what is missing. Optional: the first
   * call does it too, if the store allows that. Doing it again changes nothing.
   */
  setup(): Promise<void> {
    return this.#answer("setup", async () => {
      const made = this.#made(undefined, READ);
      expectOutcome(await this.#runner.run({ tag: "setup" }, made), "ready");
    });
  }

  /**
   * Reads a checkpoint; the latest one of the thread and namespace if the config has no id.
   *
   * @returns The tuple, or undefined if there is no such checkpoint.
   */
  override getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    return this.#answer("getTuple", (call) => this.#getTuple(givenConfig(config), call));
  }

  /**
   * Lists checkpoints, newest first.
   *
   * @param config The thread, namespace and checkpoint to list. A missing id means all of them.
   * @param options `limit`: at most this many tuples. `before`: only checkpoints whose id sorts
   *   before this one. `filter`: values that metadata must have.
   */
  override list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    const run = (call?: ReportedCall) => {
      return this.#list(givenConfig(config), givenOptions(options), call);
    };
    return this.#reports === undefined ? guardedEach(run) : this.#reports.each("list", run);
  }

  /**
   * Stores a checkpoint as a child of the one that the config names.
   *
   * @param newVersions The channels that changed. Without it, all channels count as changed.
   * @returns The config of the stored checkpoint.
   */
  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions?: ChannelVersions,
  ): Promise<RunnableConfig> {
    return this.#answer("put", async (call) => {
      const [stored, versions] = [givenCheckpoint(checkpoint), givenVersions(newVersions)];
      return this.#put(givenConfig(config), stored, metadata, versions, call);
    });
  }

  /**
   * Stores the writes of a task. At each place the first write stays, but a write to a special
   * channel replaces the one before. The checkpoint need not exist.
   */
  override putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath = "",
  ): Promise<void> {
    return this.#answer("putWrites", async (call) => {
      return this.#putWrites(givenConfig(config), givenWrites(writes), taskId, taskPath, call);
    });
  }

  /** Deletes all checkpoints and writes of a thread, in every namespace. */
  override deleteThread(threadId: string): Promise<void> {
    return this.#answer("deleteThread", () => this.#deleteThread(threadId));
  }

  /**
   * Reads the histories of delta channels: by channel, the writes since its last value, oldest
   * first, and that value as `seed` if there is one.
   */
  override getDeltaChannelHistory(options: {
    config: RunnableConfig;
    channels: string[];
  }): Promise<Record<string, DeltaChannelHistory>> {
    return this.#answer("getDeltaChannelHistory", async (call) => {
      return this.#getDeltaChannelHistory(givenHistory(options), call);
    });
  }

  /**
   * The version after a channel's current one. Numbers stay numbers, and the text of a thread that
   * was begun in Python stays such text, so that the versions of a thread can be compared.
   */
  override getNextVersion(current: number | undefined): number;
  override getNextVersion(current: number | string | undefined): number | string {
    return typeof current === "string" ? nextTextVersion(current) : super.getNextVersion(current);
  }

  /** Runs a method, and reports the call if there is an observer. */
  #answer<T>(op: CallReport["op"], run: (call?: ReportedCall) => Promise<T>): Promise<T> {
    return this.#reports === undefined ? guarded(run) : this.#reports.answer(op, run);
  }

  async #getTuple(
    config: RunnableConfig,
    reported: ReportedCall | undefined,
  ): Promise<CheckpointTuple | undefined> {
    const joined = this.#runner.joined;
    const { thread_id, checkpoint_ns } = config?.configurable ?? {};
    const entry = this.#cache.of(thread_id, checkpoint_ns);
    const known = hasValues(entry) ? entry.known : undefined;
    const call: Call = { tag: "get-tuple", val: { config: toConfig(config), known } };
    const { val: found } = await this.#read(reported, thread_id, call, "found");
    if (found === undefined) return undefined;
    const values = await this.#revive(found, entry);
    if (this.#runner.joined === joined) {
      const { threadId, checkpointNs } = found.tuple;
      const before = new Map(values.map(({ channel, before }) => [channel, before]));
      this.#cache.remember(threadId, checkpointNs, found.known, before);
    }
    const revived = values.map(({ value }) => value);
    return fromTuple(this.serde, found.tuple, revived, this.#nextVersion);
  }

  async *#list(
    config: RunnableConfig,
    options: CheckpointListOptions,
    reported: ReportedCall | undefined,
  ): AsyncGenerator<CheckpointTuple> {
    const { limit, before, filter } = options;
    const val: Omit<List, "filter"> = {
      config: toConfig(config),
      limit,
      before: toId("before.checkpoint_id", before?.configurable?.checkpoint_id),
    };
    let resume: Uint8Array | undefined;
    const { thread_id } = config?.configurable ?? {};
    const conditions = this.#toFilter(filter ?? {});
    while (true) {
      const read = this.#run(reported, thread_id, READ, conditions, "page", (filter) => {
        return { call: { tag: "list", val: { ...val, filter, resume } } };
      });
      const { val: page } = await read;
      const shared = new SharedValues(this.serde, page);
      for (const tuple of page.tuples) {
        yield await fromTuple(this.serde, tuple, await shared.of(tuple), this.#nextVersion);
      }
      if (page.next === undefined) return;
      resume = page.next;
    }
  }

  async #put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions | undefined,
    reported: ReportedCall | undefined,
  ): Promise<RunnableConfig> {
    const toCall = toPutCall(config, checkpoint, newVersions);
    const { thread_id, checkpoint_ns } = config.configurable ?? {};
    const entry = this.#cache.of(thread_id, checkpoint_ns);
    const channels = toChannels(checkpoint.channel_values ?? {});
    const head = headOf(checkpoint, metadata);
    const joined = this.#runner.joined;
    const ready = bothReady(
      () => dumpAll(this.serde, head, (index) => [HEAD[index] ?? ""]),
      () => this.#serialize(channels, entry),
    );
    const { val: stored } = await this.#run(
      reported,
      thread_id,
      PUT,
      ready,
      "stored",
      ([payloads, written]) => {
        const edited = written.map(({ channel, value }) => ({ channel, value }));
        const whole: Repeat = (known) => {
          const all = written.map(({ channel, tracked }) => {
            return { channel, value: { tag: "whole", val: tracked.payload } as const };
          });
          return { tag: "put", val: toCall(payloads, all, known) } as const;
        };
        const put = { tag: "put", val: toCall(payloads, edited, entry?.known) } as const;
        return { call: put, whole };
      },
    );
    const { threadId, checkpointNs } = stored;
    if (this.#runner.joined === joined) {
      const [, values] = await ready;
      const written = values.map(({ channel, tracked }) => [channel, tracked] as const);
      const before = toBefore(stored.values, new Map(written));
      this.#cache.remember(threadId, checkpointNs, stored.known, before);
    }
    return fromIds(threadId, checkpointNs, stored.checkpointId);
  }

  async #putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath: string,
    reported: ReportedCall | undefined,
  ): Promise<void> {
    const stored = writes.map(([channel, value]) => [toName(channel), value] as const);
    const call = {
      config: toConfig(config),
      taskId: toId("task_id", taskId),
      taskPath: toName(taskPath),
    };
    const kept = stored.filter(([channel, value]) => !leavesOut(this.serde, channel, value));
    const payloads = dumpAll(
      this.serde,
      kept.map(([, value]) => value),
      (index) => [kept[index]?.[0] ?? ""],
    );
    const { thread_id } = config.configurable ?? {};
    await this.#run(reported, thread_id, PUT_WRITES, payloads, "writes-stored", (values) => {
      const newWrites = values.map((value, index) => ({ channel: kept[index]?.[0] ?? "", value }));
      return { call: { tag: "put-writes", val: { ...call, writes: newWrites } } };
    });
  }

  async #deleteThread(threadId: string): Promise<void> {
    const val = toConfig({ configurable: { thread_id: threadId } });
    const call = { tag: "delete-thread", val } as const;
    await this.#run(undefined, threadId, DELETE, undefined, "deleted", () => ({ call }));
    this.#cache.forget(threadId);
  }

  async #getDeltaChannelHistory(
    options: { config: RunnableConfig; channels: string[] },
    reported: ReportedCall | undefined,
  ): Promise<Record<string, DeltaChannelHistory>> {
    const { joined } = this.#runner;
    const { thread_id, checkpoint_ns } = options.config?.configurable ?? {};
    const before = this.#cache.historiesOf(thread_id, checkpoint_ns);
    const channels = options.channels.map(toName);
    const known = channels.flatMap((channel) => before?.get(channel)?.known ?? []);
    const val = { config: toConfig(options.config), channels, known };
    const call = { tag: "delta-channel-history", val } as const;
    const read = await this.#read(reported, thread_id, call, "history");
    const histories = read.val.map((history) => completed(history, before));
    if (this.#runner.joined === joined) {
      this.#cache.rememberHistories(thread_id, checkpoint_ns, histories);
    }
    return fromHistory(this.serde, histories);
  }

  readonly #nextVersion: BaseCheckpointSaver["getNextVersion"] = (current) => {
    return this.getNextVersion(current);
  };

  /**
   * Serializes the values of a checkpoint's channels, as far as they are not known to be unchanged.
   */
  #serialize(
    channels: readonly [string, unknown][],
    entry: Entry | undefined,
  ): Eventually<WrittenChannel[]> {
    const kept = channels.filter(([channel, value]) => !leavesOut(this.serde, channel, value));
    return allReady(kept, ([channel, value]) => {
      const before = entry?.values?.get(channel);
      const immutable = this.#immutable.has(channel);
      const options = [before, immutable, this.#cache.bytesMax] as const;
      const written = writeChannel(this.serde, channel, value, ...options);
      return whenReady(written, (ready) => ({ channel, ...ready }));
    });
  }

  /** Revives the values of a tuple's channels: from the tuple, or from the cache if unchanged. */
  async #revive(found: FoundCheckpoint, entry: Entry | undefined): Promise<RevivedChannel[]> {
    const lengths = new Map(found.bases.map((base) => [base.channel, base.lengths]));
    const revived: RevivedChannel[] = [];
    for (const { channel, value } of found.tuple.channelValues) {
      const immutable = this.#immutable.has(channel);
      if (value.tag === "shared") throw referenceToNothing();
      if (value.tag === "whole") {
        const parts = lengths.get(channel);
        const read = await placed(this.serde, [channel], () => {
          return revive(this.serde, value.val, parts, immutable);
        });
        revived.push(revivedChannel(channel, read, parts !== undefined));
        continue;
      }
      const before = entry?.values?.get(channel);
      if (before === undefined) throw referenceToNothing();
      const again = await placed(this.serde, [channel], () => {
        return reviveCached(this.serde, before.tracked, immutable);
      });
      revived.push(revivedChannel(channel, again, before.editable));
    }
    return revived;
  }

  /** Resolves when the runner has every call made so far. */
  protected async callsStarted(): Promise<void> {
    await this.#order.allStarted();
  }

  /** Runs a call about whole threads, after those made so far. Others run meanwhile. */
  protected async runStepwise<Tag extends Outcome["tag"]>(
    call: Call,
    tag: Tag,
  ): Promise<OutcomeOf<Tag>> {
    if (this.#runner.inTransaction) throw lateInside();
    await this.#order.allStarted();
    return expectOutcome(await this.#runner.runStepwise(call), tag);
  }

  /** Forgets what is remembered of a thread. */
  protected forget(threadId: string): void {
    this.#cache.forget(threadId);
  }

  /** The conditions on metadata, as the planner takes them. */
  protected toFilter(filter: Record<string, unknown>): Eventually<{ key: string; json: string }[]> {
    return this.#toFilter(filter);
  }

  /** Runs a call that reads. */
  #read<Tag extends Outcome["tag"]>(
    reported: ReportedCall | undefined,
    threadId: unknown,
    call: Call,
    tag: Tag,
  ): Eventually<OutcomeOf<Tag>> {
    return this.#run(reported, threadId, READ, undefined, tag, () => ({ call }));
  }

  /** Makes a call of its values and runs it, in this turn of the event loop if they are there. */
  #run<Values, Tag extends Outcome["tag"]>(
    reported: ReportedCall | undefined,
    threadId: unknown,
    traits: CallTraits,
    values: Eventually<Values>,
    tag: Tag,
    toCall: (values: Values) => { readonly call: Call; readonly whole?: Repeat },
  ): Eventually<OutcomeOf<Tag>> {
    // Taken before waiting: the caller may begin or end a transaction until the values are there.
    const made = this.#made(threadId, traits);
    const ended = this.#order.run(made, values, (ready) => {
      const { call, whole } = toCall(ready);
      if (reported === undefined) return this.#runner.run(call, made, whole);
      return this.#runner.run(reported.calls(call), made, whole && reported.repeats(whole));
    });
    return whenReady(ended, (outcome) => {
      reported?.got(outcome);
      return expectOutcome(outcome, tag);
    });
  }

  #made(threadId: unknown, { due, joins }: CallTraits): Made {
    const isInside = this.#runner.inTransaction ?? false;
    return { thread: idOf(threadId), isInside, due, joins };
  }

  /**
   * The conditions of a filter. A key whose value is undefined is no condition, as JSON would leave
   * it out.
   */
  #toFilter(filter: Record<string, unknown>): Eventually<{ key: string; json: string }[]> {
    const conditions = Object.entries(filter)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, asCompared(value)] as const);
    const dumped = dumpAll(
      this.serde,
      conditions.map(([, value]) => value),
      (index) => ["filter", conditions[index]?.[0] ?? ""],
    );
    return whenReady(dumped, (payloads) => {
      return conditions.map(([key, value], index) => {
        return { key: toName(key), json: jsonText(value, payloads[index]) };
      });
    });
  }
}

/** The names, in errors, of the values that `headOf` gives. */
const HEAD = ["checkpoint", "metadata"] as const;

/** A channel's value that is about to be stored. */
interface WrittenChannel {
  readonly channel: string;
  readonly value: NewValue;
  readonly tracked: Tracked;
}

/** A channel's value that was read. */
interface RevivedChannel {
  readonly channel: string;
  readonly value: unknown;
  readonly before: Before;
}

/** The channels and their values. All names are checked before any value is read. */
function toChannels(values: Record<string, unknown>): [string, unknown][] {
  return Object.entries(values).map(([name, value]) => [toName(name), value]);
}

function revivedChannel(
  channel: string,
  { value, tracked }: Revived,
  editable: boolean,
): RevivedChannel {
  return { channel, value, before: { tracked, editable } };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The JSON text of a value: the serializer's if that is JSON, else `JSON.stringify`'s. */
function jsonText(value: unknown, payload: Payload | undefined): string {
  if (payload?.kind === "json") return decoder.decode(payload.bytes);
  return JSON.stringify(value) ?? "null";
}
