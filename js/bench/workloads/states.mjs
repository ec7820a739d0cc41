// States of several sizes: stored whole, appended to, read.

import { messagesOf, SIZES, twoAfter } from "../data.mjs";
import { inTurns, pluck, timed } from "../sampling.mjs";
import { ALL, close, open } from "../savers.mjs";
import { configOf, put, putWrites, superstep } from "../supersteps.mjs";

/** Rounds by size: enough for a median, but not too slow. */
const ROUNDS = { "3.8 KB": 400, "35 KB": 200, "235 KB": 60, "2 MB": 20 };
const QUICK_ROUNDS = { "3.8 KB": 60, "35 KB": 40, "235 KB": 10, "2 MB": 3 };
const WARM_UPS = { "3.8 KB": 100, "35 KB": 30, "235 KB": 8, "2 MB": 3 };
const QUICK_WARM_UPS = { "3.8 KB": 40, "35 KB": 10, "235 KB": 3, "2 MB": 1 };
const SEED = 7;

/** The stock saver's time times this, at most, by size. */
const TARGETS = {
  append: { "3.8 KB": 0.9, "35 KB": 0.5, "235 KB": 0.2, "2 MB": 0.06 },
  inTurn: { "3.8 KB": 1, "35 KB": 0.6, "235 KB": 0.25, "2 MB": 0.06 },
  whole: { "3.8 KB": 1.2, "35 KB": 1, "235 KB": 0.9, "2 MB": 0.7 },
  read: { "3.8 KB": 0.5, "35 KB": 0.2, "235 KB": 0.1, "2 MB": 0.1 },
  reopened: { "3.8 KB": 0.8, "35 KB": 0.5, "235 KB": 0.3, "2 MB": 0.2 },
};
const OPT_IN_TARGETS = { append: { "2 MB": 0.017 } };
const TITLES = {
  append: "`putWrites` + `put` of two messages more, in one tick",
  inTurn: "the same, awaited in turn",
  whole: "`put` of a whole new state",
  read: "`getTuple`, same process",
  reopened: "first `getTuple` after reopening",
};

export async function run(settings) {
  const rows = [];
  for (const size of Object.keys(SIZES)) {
    rows.push(...(await measure(size, settings)), await reopened(size, settings));
  }
  return rows.toSorted((left, right) => order(left) - order(right));
}

function order({ what }) {
  return Object.values(TITLES).indexOf(what);
}

/** The rows of one size, for the given savers, with targets by operation and size. */
export async function measure(size, settings, targets = TARGETS) {
  const { pathOf, synchronous, quick, names = ALL } = settings;
  const savers = {};
  const path = (name) => pathOf(`states-${name}-${SIZES[size]}`);
  for (const name of names) savers[name] = await open(name, path(name), synchronous);
  const rounds = (quick ? QUICK_ROUNDS : ROUNDS)[size];
  const warmUps = (quick ? QUICK_WARM_UPS : WARM_UPS)[size];
  const found = await inTurns(names, { rounds, warmUps }, (name, round) => {
    return once(savers[name], `thread-${round}`, SIZES[size]);
  });
  for (const name of names) close(savers[name], path(name));
  return ["append", "inTurn", "whole", "read"].map((operation) => {
    return rowOf(operation, size, pluck(found, operation), targets);
  });
}

function rowOf(operation, size, values, all) {
  const targets = [];
  const atMost = all[operation]?.[size];
  if (atMost !== undefined) targets.push({ of: "ours", timesAtMost: atMost });
  const optIn = OPT_IN_TARGETS[operation]?.[size];
  if (optIn !== undefined && values.optIn !== undefined) {
    targets.push({ of: "optIn", timesAtMost: optIn });
  }
  return { workload: "states", what: TITLES[operation], size, unit: "ms", values, targets };
}

/** The first read of a state by a saver that has just opened its file. */
async function reopened(size, { pathOf, synchronous, quick }) {
  const names = ["stock", "ours"];
  const path = (name) => pathOf(`reopened-${name}-${SIZES[size]}`);
  for (const name of names) {
    const saver = await open(name, path(name), synchronous);
    await put(saver, "thread", 0, messagesOf(SEED, SIZES[size]));
    close(saver, path(name));
  }
  const rounds = Math.ceil((quick ? QUICK_ROUNDS : ROUNDS)[size] / 4);
  const found = await inTurns(names, { rounds, warmUps: 3 }, async (name) => {
    const saver = await open(name, path(name), synchronous);
    const time = await timed(() => saver.getTuple(configOf("thread")));
    close(saver, path(name));
    return time;
  });
  return rowOf("reopened", size, found, TARGETS);
}

/**
 * On a new thread: puts a whole state, then twice two more messages (first as writes), then reads
 * it.
 */
async function once(saver, threadId, bytes) {
  const messages = messagesOf(SEED, bytes);
  const written = twoAfter(messages, SEED);
  const all = [...messages, ...written];
  const whole = await timed(() => put(saver, threadId, 0, messages));
  const append = await timed(() => superstep(saver, threadId, 1, all, written));
  const more = twoAfter(all, SEED);
  const inTurn = await timed(async () => {
    await putWrites(saver, threadId, 1, more);
    await put(saver, threadId, 2, [...all, ...more]);
  });
  const read = await timed(() => saver.getTuple(configOf(threadId)));
  // The MemorySaver would fill the memory with these threads.
  if (saver.db === undefined) await saver.deleteThread(threadId);
  return { whole, append, inTurn, read };
}
