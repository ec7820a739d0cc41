// States of several sizes: stored whole, appended to, read.

import { messagesOf, SIZES, twoAfter } from "../data.mjs";
import { inTurns, pluck, timed } from "../sampling.mjs";
import { ALL, close, open } from "../savers.mjs";
import { configOf, put, superstep } from "../supersteps.mjs";

/** Rounds by size: enough for a median, but not too slow. */
const ROUNDS = { "3.8 KB": 400, "35 KB": 200, "235 KB": 60, "2 MB": 20 };
const QUICK_ROUNDS = { "3.8 KB": 60, "35 KB": 40, "235 KB": 10, "2 MB": 3 };
const WARM_UPS = { "3.8 KB": 100, "35 KB": 30, "235 KB": 8, "2 MB": 3 };
const QUICK_WARM_UPS = { "3.8 KB": 40, "35 KB": 10, "235 KB": 3, "2 MB": 1 };
const SEED = 7;

/** How many times faster than the stock saver, by size. */
const TARGETS = {
  append: { "3.8 KB": 1.2, "35 KB": 2.5, "235 KB": 10, "2 MB": 20 },
  whole: { "3.8 KB": 1, "35 KB": 1.2, "235 KB": 1.5, "2 MB": 2 },
  read: { "3.8 KB": 2, "35 KB": 5, "235 KB": 10, "2 MB": 10 },
};
const OPT_IN_TARGETS = { append: { "2 MB": 60 } };
const TITLES = {
  append: "`putWrites` + `put` of two messages more",
  whole: "`put` of a whole new state",
  read: "`getTuple`, same process",
};

export async function run(settings) {
  const rows = [];
  for (const size of Object.keys(SIZES)) rows.push(...(await measure(size, settings)));
  return rows.toSorted((left, right) => order(left) - order(right));
}

function order({ what }) {
  return Object.values(TITLES).indexOf(what);
}

/** The rows of one size, for the given savers. */
export async function measure(size, { pathOf, synchronous, quick, names = ALL }) {
  const savers = {};
  const path = (name) => pathOf(`states-${name}-${SIZES[size]}`);
  for (const name of names) savers[name] = await open(name, path(name), synchronous);
  const rounds = (quick ? QUICK_ROUNDS : ROUNDS)[size];
  const warmUps = (quick ? QUICK_WARM_UPS : WARM_UPS)[size];
  const found = await inTurns(names, { rounds, warmUps }, (name, round) => {
    return once(savers[name], `thread-${round}`, SIZES[size]);
  });
  for (const name of names) close(savers[name], path(name));
  return Object.keys(TITLES).map((operation) => {
    const targets = [{ of: "ours", timesLess: TARGETS[operation][size] }];
    const optIn = OPT_IN_TARGETS[operation]?.[size];
    if (optIn !== undefined) targets.push({ of: "optIn", timesLess: optIn });
    const values = pluck(found, operation);
    const what = TITLES[operation];
    return { workload: "states", what, size, unit: "ms", values, targets };
  });
}

/** On a new thread: puts a whole state, then two more messages (first as writes), then reads it. */
async function once(saver, threadId, bytes) {
  const messages = messagesOf(SEED, bytes);
  const written = twoAfter(messages, SEED);
  const all = [...messages, ...written];
  const whole = await timed(() => put(saver, threadId, 0, messages));
  const append = await timed(() => superstep(saver, threadId, 1, all, written));
  const read = await timed(() => saver.getTuple(configOf(threadId)));
  // The MemorySaver would fill the memory with these threads.
  if (saver.db === undefined) await saver.deleteThread(threadId);
  return { whole, append, read };
}
