// The calls that LangGraph makes to a saver.

import { deepStrictEqual } from "node:assert/strict";

import { checkpointOf, messagesOf, metadataOf, twoAfter } from "./data.mjs";

/** The config of a thread's latest checkpoint, or of a step's. */
export function configOf(threadId, step) {
  const configurable = { thread_id: threadId, checkpoint_ns: "" };
  if (step !== undefined) configurable.checkpoint_id = checkpointOf(step, []).id;
  return { configurable };
}

/** Stores the state of a step. */
export function put(saver, threadId, step, messages, metadata) {
  const checkpoint = checkpointOf(step, messages);
  const { __start__, ...changed } = checkpoint.channel_versions;
  const parent = configOf(threadId, step === 0 ? undefined : step - 1);
  return saver.put(parent, checkpoint, metadataOf(step, threadId, metadata), changed);
}

/** Stores what a task of a step wrote. */
export function putWrites(saver, threadId, step, written) {
  return saver.putWrites(configOf(threadId, step), [["messages", written]], `task-${step}`);
}

/**
 * One superstep: the writes of the last step's task, and the new state. Both are called in one tick
 * and then awaited, as LangGraph's loop does with its default durability, "async".
 */
export function superstep(saver, threadId, step, messages, written, metadata) {
  return Promise.all([
    putWrites(saver, threadId, step - 1, written),
    put(saver, threadId, step, messages, metadata),
  ]);
}

/** All tuples of a list. */
export async function listAll(saver, config, options) {
  const tuples = [];
  for await (const tuple of saver.list(config, options)) tuples.push(tuple);
  return tuples;
}

/** Throws unless a saver returns what it stored. */
export async function expectRoundTrip(saver) {
  const [threadId, seed] = ["round-trip", 1];
  const messages = messagesOf(seed, 35_000);
  await put(saver, threadId, 0, messages);
  const written = twoAfter(messages, seed);
  const all = [...messages, ...written];
  await superstep(saver, threadId, 1, all, written);

  const first = await saver.getTuple(configOf(threadId, 0));
  deepStrictEqual(first.checkpoint, checkpointOf(0, messages));
  deepStrictEqual(first.pendingWrites, [["task-0", "messages", written]]);
  const latest = await saver.getTuple(configOf(threadId));
  deepStrictEqual(latest.checkpoint, checkpointOf(1, all));
  deepStrictEqual(latest.metadata, metadataOf(1, threadId));
  deepStrictEqual(latest.parentConfig, configOf(threadId, 0));
  const listed = await listAll(saver, configOf(threadId));
  deepStrictEqual(
    listed.map(({ checkpoint }) => checkpoint),
    [checkpointOf(1, all), checkpointOf(0, messages)],
  );
  await saver.deleteThread(threadId);
}
