// What savers give, in the transcripts' form.

import { isBaseMessage } from "@langchain/core/messages";
import type { RunnableConfig } from "@langchain/core/runnables";
import type { CheckpointPendingWrite, CheckpointTuple } from "@langchain/langgraph-checkpoint";

import { toHex } from "./rows.js";

/** An object. */
export type Fields = Record<string, unknown>;

/** A tuple in the transcript's form. */
export function written(tuple: CheckpointTuple): Fields {
  const { config, checkpoint, metadata, parentConfig, pendingWrites = [] } = tuple;
  const values = Object.entries(checkpoint.channel_values).map(([channel, value]) => {
    return [channel, writtenValue(value)] as const;
  });
  return {
    config: idsOf(config),
    checkpoint: { ...checkpoint, channel_values: Object.fromEntries(values) },
    metadata,
    ...(parentConfig !== undefined && { parent_config: idsOf(parentConfig) }),
    pending_writes: pendingWrites.map(writtenWrite),
  };
}

/** The ids of a config. */
export function idsOf(config: RunnableConfig): unknown {
  return config.configurable;
}

/** A write in the transcript's form. */
export function writtenWrite([taskId, channel, value]: CheckpointPendingWrite): unknown {
  return [taskId, channel, writtenValue(value)];
}

/** A value in the transcript's form. LangChain defines how messages are written. */
export function writtenValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: toHex(value) };
  if (isBaseMessage(value)) return JSON.parse(JSON.stringify(value));
  return mapped(value, writtenValue);
}

/** A list or an object with each member mapped. */
export function mapped(value: unknown, map: (nested: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, nested]) => [key, map(nested)]));
}

/** Whether a value is a plain object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
