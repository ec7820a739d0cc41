// Many threads of a few supersteps each, written by several tasks at once.

import { messageOf } from "./data.mjs";
import { timed } from "./sampling.mjs";
import { put, superstep } from "./supersteps.mjs";

/** The default number of supersteps of a thread, after a `put` of the empty state. */
export const STEPS = 5;

/**
 * Grows threads: each task takes the next thread and grows it step by step, awaiting each step.
 * Returns the number of steps and the milliseconds of all.
 */
export async function growThreads(saver, options) {
  const { threads, tasks, steps = STEPS, metadataOf = () => ({}) } = options;
  const chats = Array.from({ length: threads }, (_, thread) => {
    return Array.from({ length: 2 * steps }, (_, index) => messageOf(1 + thread, index));
  });
  let taken = 0;
  const task = async () => {
    while (taken < threads) {
      const thread = taken;
      taken += 1;
      await growThread(saver, thread, chats[thread], metadataOf(thread));
    }
  };
  const time = await timed(() => Promise.all(Array.from({ length: tasks }, task)));
  return { steps: threads * steps, time };
}

async function growThread(saver, thread, chat, metadata) {
  const threadId = `thread-${thread}`;
  await put(saver, threadId, 0, [], metadata);
  for (let step = 1; 2 * step <= chat.length; step += 1) {
    const [state, written] = [chat.slice(0, 2 * step), chat.slice(2 * step - 2, 2 * step)];
    await superstep(saver, threadId, step, state, written, metadata);
  }
}
