// One of several processes that write to the same file.

import { messageOf } from "../data.mjs";
import { timed } from "../sampling.mjs";
import { load, open } from "../savers.mjs";
import { configOf, put, superstep } from "../supersteps.mjs";
import { STEPS } from "../threads.mjs";

const OPENINGS_MAX = 50;

export async function run({ name, path, number, threads }, ready) {
  const chats = Array.from({ length: threads }, (_, thread) => {
    const seed = 1 + number * threads + thread;
    return Array.from({ length: 2 * STEPS }, (_, index) => messageOf(seed, index));
  });
  await load(name);
  await ready();
  const [times, errors] = [[], []];
  const began = Date.now();
  const saver = await opened(name, path, errors);
  for (const [thread, chat] of chats.entries()) {
    const threadId = `process-${number}-thread-${thread}`;
    await attempt(errors, () => put(saver, threadId, 0, []));
    for (let step = 1; step <= STEPS; step += 1) {
      const [state, written] = [chat.slice(0, 2 * step), chat.slice(2 * step - 2, 2 * step)];
      const one = () => superstep(saver, threadId, step, state, written);
      times.push(await timed(() => attempt(errors, one)));
    }
  }
  const ended = Date.now();
  const lost = errors.length === 0 ? await countLost(saver, number, threads) : 0;
  saver.db.close();
  return { began, ended, times, errors, lost };
}

/**
 * Opens the saver. While another process sets the file up, that may fail: counts an error and tries
 * again.
 */
async function opened(name, path, errors) {
  for (let count = 0; count < OPENINGS_MAX; count += 1) {
    try {
      return await open(name, path, "full");
    } catch (thrown) {
      errors.push(String(thrown));
    }
  }
  throw new Error(`${name} cannot open the file: ${errors.at(-1)}`);
}

async function attempt(errors, call) {
  try {
    await call();
  } catch (thrown) {
    errors.push(String(thrown));
  }
}

async function countLost(saver, number, threads) {
  let lost = 0;
  for (let thread = 0; thread < threads; thread += 1) {
    const tuple = await saver.getTuple(configOf(`process-${number}-thread-${thread}`, STEPS));
    if (tuple?.checkpoint.channel_values.messages.length !== 2 * STEPS) lost += 1;
  }
  return lost;
}
