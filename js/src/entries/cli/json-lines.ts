// Checkpoints as lines of JSON.

import type { CheckpointTuple, Exported, Payload, TupleValue } from "../../planner/contract.js";
import { unpacked } from "./data.js";

/** One line for what is stored of a checkpoint. Values are data; none is revived. */
export function lineOf(exported: Exported): string {
  const { threadId, checkpointNs, checkpointId, checkpoint, writes } = exported;
  const line = {
    thread_id: json(threadId),
    checkpoint_ns: json(checkpointNs),
    checkpoint_id: json(checkpointId),
    parent_checkpoint_id: json(checkpoint?.parentCheckpointId ?? null),
    checkpoint: checkpoint === undefined ? "null" : checkpointOf(checkpoint),
    types: object(checkpoint === undefined ? {} : typesOf(checkpoint)),
    metadata: checkpoint === undefined ? "null" : dataOf(checkpoint.metadata),
    writes: list(
      writes.map(({ taskId, taskPath, idx, channel, value }) => {
        return object({
          task_id: json(taskId),
          task_path: json(taskPath),
          idx: json(idx),
          channel: json(channel),
          type: json(value.kind),
          value: dataOf(value),
        });
      }),
    ),
  };
  return `${object(line)}\n`;
}

/** The checkpoint as LangGraph has it. */
function checkpointOf({ v, checkpointId, ts, ...checkpoint }: CheckpointTuple): string {
  const { channelVersions, channelValues, rest } = checkpoint;
  const versions = channelVersions.map(({ channel, version }) => [channel, json(version.val)]);
  const values = channelValues.map(({ channel, value }) => [channel, dataOf(wholeOf(value))]);
  const fields = object({
    v: json(v),
    id: json(checkpointId),
    ts: json(ts),
    channel_versions: object(Object.fromEntries(versions)),
    channel_values: object(Object.fromEntries(values)),
  });
  const others = dataOf(rest).trim().slice(1, -1).trim();
  return others === "" ? fields : `${fields.slice(0, -1)},${others}}`;
}

/** The type of each value. */
function typesOf({ channelValues }: CheckpointTuple): Record<string, string> {
  const types = channelValues.map(({ channel, value }) => [channel, json(wholeOf(value).kind)]);
  return Object.fromEntries(types);
}

function wholeOf(value: TupleValue): Payload {
  if (value.tag !== "whole") throw new TypeError("an export has whole values");
  return value.val;
}

const decoder = new TextDecoder();

/** A value as JSON. What is stored as JSON stays, but for line breaks between its parts. */
function dataOf(payload: Payload): string {
  const { kind, bytes } = payload;
  switch (kind) {
    case "json":
      return decoder.decode(bytes).replaceAll(/[\r\n]/g, " ");
    case "msgpack":
      return JSON.stringify(unpacked(bytes), bytesAsText);
    case "null":
      return "null";
    default:
      return JSON.stringify(bytes, bytesAsText);
  }
}

function bytesAsText(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : { $int: String(value) };
}

function json(value: string | number | null): string {
  return JSON.stringify(value);
}

function list(items: readonly string[]): string {
  return `[${items.join(",")}]`;
}

function object(members: Readonly<Record<string, string>>): string {
  const all = Object.entries(members).map(([name, value]) => `${json(name)}:${value}`);
  return `{${all.join(",")}}`;
}
