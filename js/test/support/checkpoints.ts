// Small, complete checkpoints to put. Their ids are in the order of their numbers.

import type { RunnableConfig } from "@langchain/core/runnables";
import type {
  ChannelVersions,
  Checkpoint,
  CheckpointMetadata,
  CheckpointTuple,
} from "@langchain/langgraph-checkpoint";

/** The id of the checkpoint with a number. */
export function idOf(number: number): string {
  return `1f000000-0000-6000-8000-${String(number).padStart(12, "0")}`;
}

export function checkpoint(
  number: number,
  values: Record<string, unknown> = {},
  versions?: ChannelVersions,
): Checkpoint {
  const given = Object.keys(values).map((channel) => [channel, number] as const);
  return {
    v: 4,
    id: idOf(number),
    ts: new Date(Date.UTC(2027, 0, 1) + number).toISOString(),
    channel_values: values,
    channel_versions: versions ?? Object.fromEntries(given),
    versions_seen: {},
  };
}

export function metadata(step: number, more: object = {}): CheckpointMetadata {
  return { source: "loop", step, parents: {}, ...more };
}

export function config(threadId: unknown, checkpointId?: string, checkpointNs = "") {
  const configurable: Record<string, unknown> = {
    thread_id: threadId,
    checkpoint_ns: checkpointNs,
  };
  if (checkpointId !== undefined) configurable.checkpoint_id = checkpointId;
  return { configurable } satisfies RunnableConfig;
}

export async function all(tuples: AsyncIterable<CheckpointTuple>): Promise<CheckpointTuple[]> {
  const found: CheckpointTuple[] = [];
  for await (const tuple of tuples) found.push(tuple);
  return found;
}

export async function ids(tuples: AsyncIterable<CheckpointTuple>): Promise<string[]> {
  return (await all(tuples)).map(({ checkpoint: { id } }) => id);
}
