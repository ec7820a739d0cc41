// Runs transcripts through a saver. tests/src/transcript.rs does the same with the same files.

import { AIMessage } from "@langchain/core/messages";
import type { RunnableConfig } from "@langchain/core/runnables";
import type {
  BaseCheckpointSaver,
  Checkpoint,
  CheckpointMetadata,
  CheckpointTuple,
  PendingWrite,
} from "@langchain/langgraph-checkpoint";

import { transcripts as TRANSCRIPTS } from "../../generated/transcripts.js";
import { AdapterError } from "../errors.js";
import type { LifecycleSaver } from "../langgraph/lifecycle-saver.js";
import type { StorageSaver } from "../stores/storage-saver.js";
import { portableExpect } from "./expect.js";
import { type Call, performOnThreads } from "./lifecycle-calls.js";
import { digestOf } from "./rows.js";
import type { AdapterTest, OpenedSaver } from "./suite.js";
import {
  type Fields,
  idsOf,
  isFields,
  mapped,
  written,
  writtenValue,
  writtenWrite,
} from "./written.js";

/** A call and its expected outcome. */
export interface Step {
  readonly call: Call;
  readonly gives: unknown;
}

/** A file of `tests/transcripts`. */
export interface Transcript {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly stored: string;
}

/** All transcripts by name, in order. */
export function transcripts(): Transcript[] {
  return TRANSCRIPTS as Transcript[];
}

/** The tests of transcripts. */
export function transcriptTests(open: () => Promise<OpenedSaver>): AdapterTest[] {
  return transcripts().map((transcript) => ({
    name: `${transcript.name}_gives_its_outcomes_and_stored_bytes`,
    run: async () => {
      const { saver, close } = await open();
      try {
        await expectTranscript(saver, transcript);
      } finally {
        await close();
      }
    },
  }));
}

/** Runs a transcript on a new saver, and checks its outcomes and stored bytes. */
export async function expectTranscript(saver: StorageSaver, transcript: Transcript): Promise<void> {
  await expectOutcomes(saver, transcript);
  const { name, stored } = transcript;
  const expect = portableExpect();
  expect(await digestOf(saver.adapter), `${name}: the stored bytes`).toBe(stored);
}

/**
 * Runs a transcript on a new saver of any store, and checks its outcomes.
 *
 * @param read What is compared of an outcome. By default all of it.
 */
export async function expectOutcomes(
  saver: BaseCheckpointSaver,
  { name, steps }: Transcript,
  read: (call: string, outcome: unknown) => unknown = (_, outcome) => outcome,
): Promise<void> {
  const expect = portableExpect();
  for (const [index, { call, gives }] of steps.entries()) {
    const outcome = read(call.name, await outcomeOf(saver, call));
    const expected = read(call.name, expand(gives, "#"));
    expect(outcome, `${name}, step ${index}: ${call.name}`).toStrictEqual(expected);
  }
}

/**
 * An outcome on a store that keeps chunks until its retention drops them: without what a prune
 * frees of them, and without the bytes and chunks that are stored.
 */
export function keepingChunks(call: string, outcome: unknown): unknown {
  const { work, stats } = outcome as { work?: Fields; stats?: Fields };
  if (work !== undefined && call !== "copy_thread") {
    const { chunks: _, bytes: __, ...rest } = work;
    return { work: rest };
  }
  if (stats !== undefined) {
    const { threads, checkpoints, writes } = stats;
    return { stats: { threads, checkpoints, writes } };
  }
  return outcome;
}

async function outcomeOf(saver: BaseCheckpointSaver, call: Call): Promise<unknown> {
  try {
    return await perform(saver, call);
  } catch (thrown) {
    if (thrown instanceof AdapterError) throw thrown;
    if (thrown instanceof Error && "code" in thrown) return { error: thrown.code };
    throw thrown;
  }
}

/** Makes a call to the saver, and returns its outcome in the transcript's form. */
async function perform(saver: BaseCheckpointSaver, call: Call): Promise<unknown> {
  const config: RunnableConfig = { configurable: call.config };
  switch (call.name) {
    case "put":
      return { config: await put(saver, config, call).then(idsOf) };
    case "put_writes":
      await putWrites(saver, config, call);
      return {};
    case "get_tuple": {
      const tuple = await saver.getTuple(config);
      return { tuple: tuple === undefined ? null : written(tuple) };
    }
    case "list": {
      const { limit, before, filter } = call;
      const tuples = saver.list(config, {
        ...(limit !== undefined && { limit }),
        ...(before !== undefined && { before: { configurable: { checkpoint_id: before } } }),
        ...(filter !== undefined && { filter }),
      });
      return { tuples: await allWritten(tuples) };
    }
    case "delete_thread":
      await saver.deleteThread(call.config.thread_id as string);
      return {};
    case "get_delta_channel_history":
      return { history: await history(saver, config, call.channels) };
    default:
      return performOnThreads(saver as LifecycleSaver, call);
  }
}

/** The saver takes new versions as a record of versions by channel, not as names. */
function put(saver: BaseCheckpointSaver, config: RunnableConfig, call: Call) {
  const { channel_values, ...others } = call.checkpoint;
  const values = Object.entries(channel_values).map(([channel, value]) => {
    return [channel, valueIn(value)] as const;
  });
  const head = expand(others, "") as Fields;
  const checkpoint = { ...head, channel_values: Object.fromEntries(values) };
  const versions = (call.checkpoint.channel_versions ?? {}) as Record<string, number | string>;
  const newVersions = call.new_versions.map(
    (channel) => [channel, versions[channel] ?? 1] as const,
  );
  return saver.put(
    config,
    checkpoint as unknown as Checkpoint,
    valueIn(call.metadata) as CheckpointMetadata,
    Object.fromEntries(newVersions),
  );
}

/** As LangGraph does, passes no argument for a missing task path. */
function putWrites(saver: BaseCheckpointSaver, config: RunnableConfig, call: Call) {
  const writes = call.writes.map(([channel, value]): PendingWrite => [channel, valueIn(value)]);
  const { task_id, task_path } = call;
  const path = task_path === undefined ? [] : [task_path];
  return Reflect.apply(saver.putWrites, saver, [config, writes, task_id, ...path]);
}

async function history(saver: BaseCheckpointSaver, config: RunnableConfig, channels: string[]) {
  const histories = await saver.getDeltaChannelHistory({ config, channels });
  const entries = Object.entries(histories).map(([channel, { writes, ...seed }]) => {
    const found = "seed" in seed ? { seed: writtenValue(seed.seed) } : {};
    return [channel, { writes: writes.map(writtenWrite), ...found }] as const;
  });
  return Object.fromEntries(entries);
}

async function allWritten(tuples: AsyncIterable<CheckpointTuple>): Promise<Fields[]> {
  const found: Fields[] = [];
  for await (const tuple of tuples) found.push(written(tuple));
  return found;
}

/** The value that a transcript describes, with its bytes and messages. */
function valueIn(from: unknown): unknown {
  return made(expand(from, ""));
}

function made(value: unknown): unknown {
  if (!isFields(value)) return mapped(value, made);
  if (typeof value.$bytes === "string") return fromHex(value.$bytes);
  const isMessage = value.lc === 1 && Array.isArray(value.id) && value.id.at(-1) === "AIMessage";
  return isMessage ? new AIMessage(value.kwargs as Fields) : mapped(value, made);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Expands the abbreviations of a transcript. */
function expand(from: unknown, index: string): unknown {
  if (typeof from === "string") return from.replaceAll("#", index);
  if (Array.isArray(from)) return from.map((value) => expand(value, index));
  if (!isFields(from)) return from;
  if (Array.isArray(from.$times)) {
    const [count, value] = from.$times as [number, unknown];
    return Array.from({ length: count }, (_, at) => expand(value, String(at)));
  }
  if (Array.isArray(from.$text)) {
    const [count, text] = from.$text as [number, string];
    return text.repeat(count);
  }
  return mapped(from, (value) => expand(value, index));
}
