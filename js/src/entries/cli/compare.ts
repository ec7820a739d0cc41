// Compares what a takeover stores with what is stored, byte by byte.

import type { ChannelVersion, CheckpointTuple, Payload, Put } from "../../planner/contract.js";
import type { TakeoverCall } from "../../planner/takeover.js";

/**
 * What a stored checkpoint lacks or has otherwise than these calls store it: a field of the
 * checkpoint, or `"pending writes"` if all fields are the same. It may have more writes. Undefined
 * if there is no difference.
 */
export function differenceOf(
  calls: readonly TakeoverCall[],
  tuple: CheckpointTuple,
): string | undefined {
  for (const call of calls) {
    const field = call.tag === "put" ? differingField(call.val, tuple) : undefined;
    if (field !== undefined) return field;
  }
  const stored = new Set(storedWrites(tuple));
  return writesOf(calls).every((write) => stored.has(write)) ? undefined : "pending writes";
}

/** Whether a stored checkpoint has a write that these calls do not store. */
export function hasOtherWrites(calls: readonly TakeoverCall[], tuple: CheckpointTuple): boolean {
  const all = new Set(writesOf(calls));
  return storedWrites(tuple).some((write) => !all.has(write));
}

function storedWrites({ pendingWrites }: CheckpointTuple): string[] {
  return pendingWrites.map(({ taskId, channel, value }) => writeKey(taskId, channel, value));
}

function writesOf(calls: readonly TakeoverCall[]): string[] {
  return calls.flatMap((call) => {
    if (call.tag === "put") return [];
    const task = textOf(call.val.taskId) ?? "";
    return call.val.writes.map(({ channel, value }) => writeKey(task, channel, value));
  });
}

function differingField({ config, checkpoint, metadata }: Put, tuple: CheckpointTuple) {
  const versions = (list: readonly ChannelVersion[]) => {
    return JSON.stringify(list.map(({ channel, version }) => [channel, version.val]));
  };
  const isSame = {
    parent: textOf(config.checkpointId) === tuple.parentCheckpointId,
    v: checkpoint.v === tuple.v,
    ts: checkpoint.ts === tuple.ts,
    channel_versions: versions(checkpoint.channelVersions) === versions(tuple.channelVersions),
    channel_values: hasSameValues(checkpoint, tuple),
    "other fields": isEqual(checkpoint.rest, tuple.rest),
    metadata: isEqual(metadata, tuple.metadata),
  };
  return Object.entries(isSame).find(([, same]) => !same)?.[0];
}

function hasSameValues({ channelValues }: Put["checkpoint"], tuple: CheckpointTuple): boolean {
  if (channelValues.length !== tuple.channelValues.length) return false;
  return channelValues.every(({ channel, value }, index) => {
    const stored = tuple.channelValues[index];
    if (stored?.channel !== channel) return false;
    return (
      value.tag === "whole" && stored.value.tag === "whole" && isEqual(value.val, stored.value.val)
    );
  });
}

function isEqual(one: Payload, other: Payload): boolean {
  return one.kind === other.kind && Buffer.compare(one.bytes, other.bytes) === 0;
}

function writeKey(task: string, channel: string, { kind, bytes }: Payload): string {
  return JSON.stringify([task, channel, kind, Buffer.from(bytes).toString("latin1")]);
}

function textOf(id: Put["config"]["checkpointId"]): string | undefined {
  return id.tag === "text" ? id.val : undefined;
}
