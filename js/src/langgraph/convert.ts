// Converts LangGraph's shapes to the planner's and back.

import type { RunnableConfig } from "@langchain/core/runnables";
import {
  type BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  type DeltaChannelHistory,
  maxChannelVersion,
  type SerializerProtocol,
  TASKS,
} from "@langchain/langgraph-checkpoint";

import { InvalidInputError } from "../errors.js";
import type { Call, OutcomeOf } from "../planner/contract.js";
import { loadAll, type Payload } from "../serde/payload.js";
import { setOwn } from "../serde/records.js";

type CallOf<Tag extends Call["tag"]> = Extract<Call, { tag: Tag; val: unknown }>["val"];
type Config = CallOf<"get-tuple">["config"];
type Id = Config["threadId"];
type PutCall = CallOf<"put">;
type ChannelVersion = PutCall["checkpoint"]["channelVersions"][number];
/** A tuple as the planner gives it. */
export type StoredTuple = OutcomeOf<"page">["val"]["tuples"][number];
type StoredWrite = StoredTuple["pendingWrites"][number];
type StoredHistory = OutcomeOf<"history">["val"];

/** Gives the version after a channel's current one, as the saver counts. */
type NextVersion = BaseCheckpointSaver<number | string>["getNextVersion"];

/**
 * An id as the caller gave it. The planner decides whether it is acceptable. Throws `invalid-id` if
 * it is not well-formed; the error contains `name`.
 */
export function toId(name: string, value: unknown): Id {
  if (value === undefined || value === null) return { tag: "absent" };
  if (typeof value === "number") return { tag: "number", val: value };
  if (typeof value !== "string") return { tag: "unsupported", val: typeof value };
  // UTF-8 has no lone surrogates, so two different ids would become one.
  if (!isWellFormed(value)) {
    const message = `${name} contains half of a surrogate pair; pass well-formed text`;
    throw new InvalidInputError("invalid-id", message);
  }
  return { tag: "text", val: value };
}

/** The ids of a config; its other fields are not stored. */
export function toConfig(config: RunnableConfig | undefined): Config {
  const configurable = config?.configurable;
  return {
    threadId: toId("thread_id", configurable?.thread_id),
    checkpointNs: toId("checkpoint_ns", configurable?.checkpoint_ns),
    checkpointId: toId("checkpoint_id", configurable?.checkpoint_id),
    threadTs: toId("thread_ts", configurable?.thread_ts),
  };
}

/** The run of a config. The planner decides whether the id is noted; a bad one fails no put. */
function toRunId({ configurable }: RunnableConfig): Id {
  const id: unknown = configurable?.run_id;
  if (typeof id === "string" && !isWellFormed(id)) return { tag: "absent" };
  return toId("run_id", id);
}

/** The config of a checkpoint. It has these three keys and no others. */
export function fromIds(
  threadId: string,
  checkpointNs: string,
  checkpointId: string,
): RunnableConfig {
  return {
    configurable: {
      thread_id: threadId,
      checkpoint_ns: checkpointNs,
      checkpoint_id: checkpointId,
    },
  };
}

/** The fields of a checkpoint that are passed one by one, not as a part of `rest`. */
const FIELDS: ReadonlySet<string> = new Set([
  "id",
  "v",
  "ts",
  "channel_versions",
  "channel_values",
  "versions_seen",
] satisfies (keyof Checkpoint)[]);

/**
 * The values that a put serializes besides the channel values: the rest of the checkpoint, and the
 * metadata.
 */
export function headOf(checkpoint: Checkpoint, metadata: CheckpointMetadata): unknown[] {
  const rest: Record<string, unknown> = { versions_seen: checkpoint.versions_seen ?? {} };
  for (const [name, value] of Object.entries(checkpoint)) {
    if (!FIELDS.has(name)) setOwn(rest, name, value);
  }
  return [rest, metadata];
}

/** A channel and its value to store. */
export type NewChannelValue = PutCall["checkpoint"]["channelValues"][number];

/**
 * Checks the arguments of a put at once, and returns a function that makes the call from the
 * serialized values. Throws `InvalidInputError`.
 */
export function toPutCall(
  config: RunnableConfig,
  checkpoint: Checkpoint,
  newVersions: object | undefined,
): (
  head: readonly Payload[],
  channelValues: NewChannelValue[],
  known: Uint8Array | undefined,
) => PutCall {
  const channelVersions = Object.entries(checkpoint.channel_versions ?? {}).map(toVersion);
  const { id, v, ts } = checkpoint;
  if (typeof v !== "number" || typeof ts !== "string") {
    throw new InvalidInputError(
      "invalid-checkpoint",
      "checkpoint.v has to be a number and checkpoint.ts text; pass the checkpoint as LangGraph " +
        "made it",
    );
  }
  const [checkpointId, time, named] = [
    toId("checkpoint.id", id),
    toName(ts),
    toNewVersions(checkpoint, newVersions),
  ];
  const address = toConfig(config);
  const runId = toRunId(config);
  return ([rest, metadata], channelValues, known) => {
    return {
      config: address,
      checkpoint: {
        id: checkpointId,
        v,
        ts: time,
        channelVersions,
        channelValues,
        rest: required(rest),
      },
      metadata: required(metadata),
      newVersions: named,
      runId,
      known,
    };
  };
}

/**
 * The names of the channels with new versions. Callers other than LangGraph may leave `newVersions`
 * out; then every version is new.
 */
function toNewVersions(checkpoint: Checkpoint, newVersions: object | undefined): string[] {
  return Object.keys(newVersions ?? checkpoint.channel_versions ?? {}).map(toName);
}

function toVersion([channel, version]: [string, unknown]): ChannelVersion {
  if (typeof version === "number") {
    return { channel: toName(channel), version: { tag: "number", val: version } };
  }
  if (typeof version === "string") {
    return { channel: toName(channel), version: { tag: "text", val: toName(version) } };
  }
  throw new InvalidInputError(
    "invalid-channel-version",
    `the version of channel ${JSON.stringify(channel)} is of type ${typeof version}; it has to ` +
      "be a number or text",
  );
}

/**
 * Returns a name unchanged. Throws `malformed-text` if it is not well-formed, as its UTF-8 bytes
 * would then not identify it.
 */
export function toName(name: string): string {
  if (typeof name === "string" && isWellFormed(name)) return name;
  const shown = typeof name === "string" ? JSON.stringify(name) : `a name of type ${typeof name}`;
  throw new InvalidInputError(
    "malformed-text",
    `${shown} is no well-formed Unicode text; use names without lone surrogates`,
  );
}

/** A tuple as LangGraph expects it. `channelValues` are in the order of the tuple's channels. */
export async function fromTuple(
  serde: SerializerProtocol,
  tuple: StoredTuple,
  channelValues: readonly unknown[],
  nextVersion: NextVersion,
): Promise<CheckpointTuple> {
  const { threadId, checkpointNs, checkpointId, parentCheckpointId } = tuple;
  const sends = tuple.pendingSends;
  const names = ["checkpoint", "metadata", ...tuple.pendingWrites.map(({ channel }) => channel)];
  const [rest, metadata, ...values] = await loadAll(
    serde,
    [
      tuple.rest,
      tuple.metadata,
      ...tuple.pendingWrites.map(({ value }) => value),
      ...(sends ?? []),
    ],
    (index) => [names[index] ?? TASKS],
  );
  const pendingWrites = values.splice(0, tuple.pendingWrites.length);
  const checkpoint = {
    v: tuple.v,
    id: checkpointId,
    ts: tuple.ts,
    channel_values: byName(tuple.channelValues, channelValues),
    channel_versions: Object.fromEntries(
      tuple.channelVersions.map(({ channel, version }) => [channel, version.val]),
    ),
    ...(rest as Pick<Checkpoint, "versions_seen">),
  };
  if (sends !== undefined) addPendingSends(checkpoint, values, nextVersion);
  const result: CheckpointTuple = {
    config: fromIds(threadId, checkpointNs, checkpointId),
    checkpoint,
    metadata: metadata as CheckpointMetadata,
    pendingWrites: toPendingWrites(tuple.pendingWrites, pendingWrites),
  };
  if (parentCheckpointId !== undefined) {
    result.parentConfig = fromIds(threadId, checkpointNs, parentCheckpointId);
  }
  return result;
}

/**
 * LangGraph's checkpoints with `v` below 4 keep the sends of a superstep as writes of their parent.
 */
function addPendingSends(checkpoint: Checkpoint, sends: unknown[], nextVersion: NextVersion): void {
  const versions = Object.values(checkpoint.channel_versions);
  checkpoint.channel_values[TASKS] = sends;
  checkpoint.channel_versions[TASKS] =
    versions.length > 0 ? maxChannelVersion(...versions) : nextVersion(undefined);
}

/** The histories by channel, as LangGraph expects them. */
export async function fromHistory(
  serde: SerializerProtocol,
  histories: StoredHistory,
): Promise<Record<string, DeltaChannelHistory>> {
  const entries = histories.map(async ({ channel, writes, seed }) => {
    const values = await loadAll(
      serde,
      writes.map(({ value }) => value),
      () => [channel],
    );
    const history: DeltaChannelHistory = { writes: toPendingWrites(writes, values) };
    if (seed !== undefined) [history.seed] = await loadAll(serde, [seed]);
    return [channel, history] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function toPendingWrites(
  writes: readonly StoredWrite[],
  values: readonly unknown[],
): CheckpointPendingWrite[] {
  return writes.map(({ taskId, channel }, index) => [taskId, channel, values[index]]);
}

/**
 * `fromEntries` defines properties and does not assign them: a channel may be named `__proto__`.
 */
function byName(
  channels: readonly { channel: string }[],
  values: readonly unknown[],
): Record<string, unknown> {
  return Object.fromEntries(channels.map(({ channel }, index) => [channel, values[index]]));
}

function required(payload: Payload | undefined): Payload {
  if (payload !== undefined) return payload;
  throw new InvalidInputError("invalid-serializer", "the serializer gave too few payloads");
}

function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}
