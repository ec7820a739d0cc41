// Savers on PostgreSQL: a growing chat, states of several sizes, and many threads at once.

import { growChat } from "../chat.mjs";
import { messagesOf, SIZES, twoAfter } from "../data.mjs";
import { inTurns, median, pluck, timed } from "../sampling.mjs";
import { ALL, NAMES } from "../savers-postgres.mjs";
import { configOf, put, superstep } from "../supersteps.mjs";
import { growThreads } from "../threads.mjs";

const SEED = 7;
const TASKS = 16;
const CONNECTIONS = 4;
const ROUNDS = { "3.8 KB": 100, "35 KB": 60, "235 KB": 25, "2 MB": 9 };
const QUICK_ROUNDS = { "3.8 KB": 20, "35 KB": 10, "235 KB": 5, "2 MB": 2 };
/** How many times faster ours should be, by size. */
const TARGETS = {
  append: { "3.8 KB": 1.3, "35 KB": 2.5, "235 KB": 5, "2 MB": 20 },
  whole: { "3.8 KB": 1.5, "35 KB": 1.3, "235 KB": 1.2, "2 MB": 1.3 },
  cold: { "235 KB": 4 },
  warm: { "235 KB": 20 },
};
const TITLES = {
  append: "superstep of two messages",
  whole: "`put` of a whole new state",
  cold: "`getTuple` of a saver that remembers nothing",
  warm: "`getTuple` in the process that wrote",
};

export async function run(savers, { quick }) {
  return [
    ...(await growth(savers, quick)),
    ...(await states(savers, quick)),
    ...(await threads(savers, quick)),
  ];
}

function rowOf(what, size, unit, values, targets = []) {
  return { workload: "postgres", what, size, unit, values, targets };
}

async function growth(savers, quick) {
  const steps = quick ? 100 : 1_000;
  const found = await inTurns(NAMES, { rounds: 1 }, async (name) => {
    const { saver, schema, drop } = await savers.openNew(name);
    const before = await savers.logBytes();
    const { times } = await growChat(saver, "chat", steps);
    const log = ((await savers.logBytes()) - before) / steps;
    const stored = await savers.bytesOf(schema);
    await drop();
    const [first, last] = [times.slice(0, steps / 10), times.slice(-steps / 10)].map(median);
    return { stored, log, slowdown: last / first, last };
  });
  const size = `${steps} supersteps`;
  const ours = (atMost) => (quick ? [] : [{ of: "ours", atMost }]);
  return [
    rowOf("growing chat: stored", size, "bytes", pluck(found, "stored"), ours(6e6)),
    rowOf("growing chat: log a superstep", size, "bytes", pluck(found, "log"), ours(6e3)),
    rowOf(
      "growing chat: last tenth over first",
      size,
      "times",
      pluck(found, "slowdown"),
      ours(1.5),
    ),
    rowOf("growing chat: a superstep of the last tenth", size, "ms", pluck(found, "last")),
  ];
}

async function states(savers, quick) {
  const measured = [];
  for (const [size, bytes] of Object.entries(SIZES)) {
    const opened = {};
    for (const name of NAMES) opened[name] = await savers.openNew(name);
    const rounds = (quick ? QUICK_ROUNDS : ROUNDS)[size];
    const found = await inTurns(NAMES, { rounds, warmUps: 2 }, (name, round) => {
      return once(savers, opened[name], `thread-${round}`, bytes);
    });
    for (const name of NAMES) await opened[name].drop();
    measured.push([size, found]);
  }
  const timesOf = (operation) => {
    return measured.map(([size, found]) => {
      const times = TARGETS[operation][size];
      const targets = times === undefined ? [] : [{ of: "ours", timesLess: times }];
      return rowOf(TITLES[operation], size, "ms", pluck(found, operation), targets);
    });
  };
  const [size, largest] = measured.at(-1);
  const noMore = [{ of: "ours", timesAtMost: 1 }];
  return [
    ...Object.keys(TITLES).flatMap(timesOf),
    rowOf("log of a whole `put`", size, "bytes", pluck(largest, "log"), noMore),
  ];
}

/** On a new thread: puts a whole state, then two more messages, then reads it. */
async function once(savers, { saver, fresh }, threadId, bytes) {
  const messages = messagesOf(SEED, bytes);
  const written = twoAfter(messages, SEED);
  const before = await savers.logBytes();
  const whole = await timed(() => put(saver, threadId, 0, messages));
  const log = (await savers.logBytes()) - before;
  const append = await timed(() => {
    return superstep(saver, threadId, 1, [...messages, ...written], written);
  });
  const read = (from) => timed(() => from.getTuple(configOf(threadId)));
  const warm = await read(saver);
  const other = await fresh();
  const cold = await read(other);
  await other.end();
  return { whole, log, append, warm, cold };
}

async function threads(savers, quick) {
  const count = quick ? 64 : 400;
  const found = await inTurns(ALL, { rounds: quick ? 2 : 4, warmUps: 1 }, async (name) => {
    const before = await savers.logSyncs();
    const { saver, end, drop } = await savers.openNew(name, CONNECTIONS);
    const { steps, time } = await growThreads(saver, { threads: count, tasks: TASKS });
    await end();
    const syncs = ((await savers.logSyncs()) - before) / steps;
    await drop();
    return { rate: steps / (time / 1_000), syncs };
  });
  const size = `${count} threads x 5, ${TASKS} tasks, ${CONNECTIONS} connections`;
  return [
    rowOf("supersteps a second", size, "rate", pluck(found, "rate"), [
      { of: "ours", timesMore: 3 },
    ]),
    rowOf("log syncs a superstep", size, "number", pluck(found, "syncs"), [
      { of: "ours", atMost: 1 },
    ]),
  ];
}
