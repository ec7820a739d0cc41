// A chat that grows by two messages a superstep.

import { readFileSync } from "node:fs";

import { messageOf } from "./data.mjs";
import { timed } from "./sampling.mjs";
import { put, superstep } from "./supersteps.mjs";

const SEED = 7;

/**
 * Grows a chat on a new thread. Returns its messages, and the milliseconds of each superstep.
 * Without a saver it only makes the messages.
 */
export async function growChat(saver, threadId, steps) {
  const messages = [];
  const times = [];
  if (saver !== undefined) await put(saver, threadId, 0, []);
  for (let step = 1; step <= steps; step += 1) {
    const written = [0, 1].map((index) => messageOf(SEED, messages.length + index));
    messages.push(...written);
    if (saver === undefined) continue;
    // LangGraph's reducers make a new list each time.
    const state = [...messages];
    times.push(await timed(() => superstep(saver, threadId, step, state, written)));
  }
  return { messages, times };
}

/**
 * The bytes that this process has passed to write calls so far; NaN if the system does not count
 * them.
 */
export function bytesWritten() {
  try {
    const [, count] = /^wchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"));
    return Number(count);
  } catch {
    return Number.NaN;
  }
}
