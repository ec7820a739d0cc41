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

import type { StorageAdapter } from "./adapters/adapter.js";
import {
  fromHistory,
  fromIds,
  fromTuple,
  toConfig,
  toId,
  toName,
  toPutCall,
  valuesOfPut,
} from "./convert.js";
import { drive } from "./drive.js";
import { ProtocolError } from "./errors.js";
import { type Eventually, isPending, whenReady } from "./eventually.js";
import { type Call, type Outcome, type OutcomeOf, type Planner, sharedPlanner } from "./guest.js";
import { Known } from "./known.js";
import { dumpAll, type Payload } from "./payload.js";
import { JsonPlusSerde } from "./serde/serializer.js";

/**
 * A LangGraph.js checkpointer over a storage adapter.
 *
 * Arguments are serialized before a method first waits, so LangGraph may go on to change them. A
 * promise resolves after what it stands for is committed. Calls take effect in their order.
 */
export class StorageSaver extends BaseCheckpointSaver {
  readonly #planner: Planner;
  readonly #storage: StorageAdapter;
  readonly #known = new Known();
  #setUp = false;
  #settingUp: Promise<void> | undefined;

  /**
   * @param storage Executes the batches.
   * @param serde Serializes the values; `JsonPlusSerde` when it is left out.
   */
  constructor(storage: StorageAdapter, serde: SerializerProtocol = new JsonPlusSerde()) {
    super(serde);
    this.#planner = sharedPlanner();
    // A call the planner refuses is refused before anything is asked of the store, setting up
    // included: that is why it waits for the first batch.
    this.#storage = {
      get joined() {
        return storage.joined ?? 0;
      },
      run: (batch) => whenReady(this.#setup(storage), () => storage.run(batch)),
    };
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const joined = this.#storage.joined;
    const { val: tuple } = await this.#run({ tag: "get-tuple", val: toConfig(config) }, "found");
    if (tuple === undefined) return undefined;
    this.#remember(tuple, joined);
    return fromTuple(this.serde, tuple, this.#nextVersion);
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    const { limit, before, filter } = options ?? {};
    const val: Extract<Call, { tag: "list" }>["val"] = {
      config: toConfig(config),
      before: toId(before?.configurable?.checkpoint_id),
      filter: await this.#toFilter(filter ?? {}),
    };
    if (limit !== undefined && limit !== null) val.limit = Number(limit);
    while (true) {
      const { val: page } = await this.#run({ tag: "list", val }, "page");
      for (const tuple of page.tuples) {
        yield await fromTuple(this.serde, tuple, this.#nextVersion);
      }
      if (page.next === undefined) return;
      val.resume = page.next;
    }
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions?: ChannelVersions,
  ): Promise<RunnableConfig> {
    const toCall = toPutCall(config, checkpoint, newVersions);
    const { thread_id, checkpoint_ns } = config.configurable ?? {};
    const payloads = dumpAll(this.serde, valuesOfPut(checkpoint, metadata));
    const joined = this.#storage.joined;
    const { val: stored } = await this.#runWith(payloads, "stored", (ready) => {
      return { tag: "put", val: toCall(ready, this.#known.of(thread_id, checkpoint_ns)) };
    });
    this.#remember(stored, joined);
    return fromIds(stored.threadId, stored.checkpointNs, stored.checkpointId);
  }

  override async putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath = "",
  ): Promise<void> {
    const channels = writes.map(([channel]) => toName(channel));
    const call = { config: toConfig(config), taskId: toId(taskId), taskPath: toName(taskPath) };
    const payloads = dumpAll(
      this.serde,
      writes.map(([, value]) => value),
    );
    await this.#runWith(payloads, "writes-stored", (values) => {
      const newWrites = values.map((value, index) => ({ channel: channels[index] ?? "", value }));
      return { tag: "put-writes", val: { ...call, writes: newWrites } };
    });
  }

  override async deleteThread(threadId: string): Promise<void> {
    const val = toConfig({ configurable: { thread_id: threadId } });
    await this.#run({ tag: "delete-thread", val }, "deleted");
    this.#known.forget(threadId);
  }

  override async getDeltaChannelHistory(options: {
    config: RunnableConfig;
    channels: string[];
  }): Promise<Record<string, DeltaChannelHistory>> {
    const val = { config: toConfig(options.config), channels: options.channels.map(toName) };
    const history = await this.#run({ tag: "delta-channel-history", val }, "history");
    return fromHistory(this.serde, history.val);
  }

  readonly #nextVersion: BaseCheckpointSaver["getNextVersion"] = (current) => {
    return this.getNextVersion(current);
  };

  /** Remembers what is stored, unless the caller may still undo it. */
  #remember(stored: OutcomeOf<"stored">["val"], joined: number | undefined): void {
    if (this.#storage.joined !== joined) return;
    this.#known.remember(stored.threadId, stored.checkpointNs, stored.known);
  }

  /** Runs a call that holds payloads, in this turn of the event loop if they are there. */
  #runWith<Tag extends Outcome["tag"]>(
    payloads: Eventually<Payload[]>,
    tag: Tag,
    toCall: (payloads: Payload[]) => Call,
  ): Eventually<OutcomeOf<Tag>> {
    return whenReady(payloads, (ready) => this.#run(toCall(ready), tag));
  }

  #run<Tag extends Outcome["tag"]>(call: Call, tag: Tag): Eventually<OutcomeOf<Tag>> {
    const outcome = drive(this.#planner, call, this.#storage);
    return whenReady(outcome, (ended) => expectOutcome(ended, tag));
  }

  /** Makes the tables once. What failed, or may be undone, is done again at the next call. */
  #setup(storage: StorageAdapter): Eventually<void> {
    if (this.#setUp) return undefined;
    if (this.#settingUp !== undefined) return this.#settingUp;
    const { joined } = storage;
    const done = whenReady(drive(this.#planner, { tag: "setup" }, storage), (outcome) => {
      expectOutcome(outcome, "ready");
      this.#setUp = storage.joined === joined;
    });
    if (!isPending(done)) return undefined;
    this.#settingUp = done.finally(() => {
      this.#settingUp = undefined;
    });
    return this.#settingUp;
  }

  /** A key whose value is undefined is no condition, as in JSON it would be no key. */
  async #toFilter(filter: Record<string, unknown>): Promise<{ key: string; json: string }[]> {
    const conditions = Object.entries(filter).filter(([, value]) => value !== undefined);
    const payloads = await dumpAll(
      this.serde,
      conditions.map(([, value]) => value),
    );
    return conditions.map(([key, value], index) => {
      return { key: toName(key), json: jsonText(value, payloads[index]) };
    });
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The JSON text of a value: the serializer's, if it writes JSON. */
function jsonText(value: unknown, payload: Payload | undefined): string {
  if (payload?.kind === "json") return decoder.decode(payload.bytes);
  return JSON.stringify(value) ?? "null";
}

function isOutcome<Tag extends Outcome["tag"]>(
  outcome: Outcome,
  tag: Tag,
): outcome is OutcomeOf<Tag> {
  return outcome.tag === tag;
}

function expectOutcome<Tag extends Outcome["tag"]>(outcome: Outcome, tag: Tag): OutcomeOf<Tag> {
  if (isOutcome(outcome, tag)) return outcome;
  throw new ProtocolError(
    "unexpected-outcome",
    `the planner ended in "${outcome.tag}" where "${tag}" belongs; please report it`,
  );
}
