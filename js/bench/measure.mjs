// The measurements: the savers take turns, so that what slows the machine slows both.

import { performance } from "node:perf_hooks";

import { messagesOf, SIZES, twoAfter } from "./data.mjs";
import { close, configOf, expectRoundTrip, open, put, putWrites, SAVERS } from "./savers.mjs";

/** Rounds by size: enough for a median, few enough for patience. */
const ROUNDS = { "3.8 KB": 400, "35 KB": 200, "235 KB": 60, "2 MB": 20 };
const QUICK_ROUNDS = { "3.8 KB": 100, "35 KB": 60, "235 KB": 20, "2 MB": 7 };
const WARM_UPS = 5;
const QUICK_WARM_UPS = 2;
const CHAT_STEPS = 200;
const SEED = 7;

const NAMES = Object.keys(SAVERS);

async function timed(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Fails unless both savers give back what they were given. */
export async function expectRoundTrips(pathOf, synchronous) {
  for (const name of NAMES) {
    const path = pathOf(`${name}-round-trip`);
    const saver = await open(name, path, synchronous);
    await expectRoundTrip(saver);
    close(saver, path);
  }
}

/** A new thread gets a whole state; two messages more, first as writes; and is read. */
async function round(saver, threadId, bytes) {
  const messages = messagesOf(SEED, bytes);
  const written = twoAfter(messages, SEED);
  const all = [...messages, ...written];
  const whole = await timed(() => put(saver, threadId, 0, messages));
  const append = await timed(async () => {
    await putWrites(saver, threadId, 0, written);
    await put(saver, threadId, 1, all);
  });
  const read = await timed(() => saver.getTuple(configOf(threadId)));
  return { put: whole, append, getTuple: read };
}

/** The rows of one size: times in milliseconds. */
export async function measureSize(label, { pathOf, synchronous, quick }) {
  const warmUps = quick ? QUICK_WARM_UPS : WARM_UPS;
  const rounds = (quick ? QUICK_ROUNDS : ROUNDS)[label];
  const savers = {};
  const times = { put: {}, append: {}, getTuple: {} };
  for (const name of NAMES) {
    savers[name] = await open(name, pathOf(`${name}-${SIZES[label]}`), synchronous);
    for (const operation of Object.keys(times)) times[operation][name] = [];
  }
  for (let count = -warmUps; count < rounds; count += 1) {
    // Who goes first changes, as the second finds the processor's caches full of the first.
    const order = count % 2 === 0 ? NAMES : NAMES.toReversed();
    for (const name of order) {
      const measured = await round(savers[name], `thread-${count}`, SIZES[label]);
      if (count < 0) continue;
      for (const [operation, time] of Object.entries(measured)) times[operation][name].push(time);
    }
  }
  for (const name of NAMES) close(savers[name], pathOf(`${name}-${SIZES[label]}`));
  return Object.entries(times).map(([operation, byName]) => {
    return { operation, size: label, unit: "ms", ...summaries(byName) };
  });
}

/** What a chat that grows by two messages a step leaves in the file, and the time it takes. */
export async function measureChat({ pathOf, synchronous }) {
  const bytes = {};
  const times = {};
  for (const name of NAMES) {
    const path = pathOf(`${name}-chat`);
    const saver = await open(name, path, synchronous);
    const messages = [];
    times[name] = [
      await timed(async () => {
        await put(saver, "chat", 0, messages);
        for (let step = 1; step <= CHAT_STEPS; step += 1) {
          const written = twoAfter(messages, SEED);
          await putWrites(saver, "chat", step - 1, written);
          messages.push(...written);
          await put(saver, "chat", step, messages);
        }
      }),
    ];
    bytes[name] = [close(saver, path)];
  }
  const size = `${CHAT_STEPS} steps`;
  return [
    { operation: "chat, time", size, unit: "ms", ...summaries(times) },
    { operation: "chat, stored", size, unit: "bytes", ...summaries(bytes) },
  ];
}

function summaries(byName) {
  return Object.fromEntries(NAMES.map((name) => [name, summaryOf(byName[name])]));
}

function summaryOf(values) {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  const [min, max] = [sorted[0], sorted[sorted.length - 1]];
  return { median: (low + high) / 2, min, max, count: sorted.length };
}
