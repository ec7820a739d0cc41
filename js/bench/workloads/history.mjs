// History: pages of one long thread, and a filter over many short ones.

import { deepStrictEqual, strictEqual } from "node:assert/strict";

import { growChat } from "../chat.mjs";
import { inTurns, timed } from "../sampling.mjs";
import { close, open } from "../savers.mjs";
import { configOf, listAll } from "../supersteps.mjs";
import { growThreads } from "../threads.mjs";

const THREADS = 1_000;
const USERS = 250;
const FILTER = { user: "user-7", step: 2 };

export async function run(given) {
  const names = ["stock", ...(given.quick ? [] : ["memory"]), "ours"];
  const settings = { ...given, names };
  return [...(await pages(settings)), ...(await threads(settings))];
}

function row(what, size, values, timesLess) {
  const targets = [{ of: "ours", timesLess }];
  return { workload: "history", what, size, unit: "ms", values, targets };
}

async function pages({ pathOf, synchronous, quick, names }) {
  const steps = quick ? 100 : 200;
  const savers = {};
  for (const name of names) {
    savers[name] = await open(name, pathOf(`pages-${name}`), synchronous);
    await growChat(savers[name], "chat", steps);
  }
  const list = (options, count) => (name) => {
    return timed(async () => {
      const tuples = await listAll(savers[name], configOf("chat"), options);
      strictEqual(tuples.length, count);
    });
  };
  const few = { rounds: quick ? 3 : 15, warmUps: quick ? 0 : 1 };
  const ten = await inTurns(names, few, list({ limit: 10 }, 10));
  const all = await inTurns(names, { rounds: quick ? 1 : 5 }, list({}, steps + 1));
  for (const name of names) close(savers[name], pathOf(`pages-${name}`));
  return [
    row("`list`, a growing chat", `all of ${steps} steps`, all, 15),
    row("`list`, a growing chat", `limit 10 of ${steps} steps`, ten, 10),
  ];
}

async function threads({ pathOf, synchronous, quick, names }) {
  const savers = {};
  const metadataOf = (thread) => ({ user: `user-${thread % USERS}` });
  for (const name of names) {
    savers[name] = await open(name, pathOf(`threads-${name}`), synchronous);
    await growThreads(savers[name], { threads: THREADS, tasks: 16, metadataOf });
  }
  const [stock, ...others] = await Promise.all(names.map((name) => matching(savers[name])));
  strictEqual(stock.length, THREADS / USERS);
  for (const other of others) deepStrictEqual(other, stock);
  const one = await inTurns(names, { rounds: quick ? 60 : 400, warmUps: 40 }, (name, round) => {
    const config = configOf(`thread-${(THREADS + round * 7) % THREADS}`);
    return timed(() => listAll(savers[name], config, { limit: 1 }));
  });
  const filtered = await inTurns(names, { rounds: quick ? 10 : 40, warmUps: 3 }, (name) => {
    return timed(() => listAll(savers[name], {}, { filter: FILTER }));
  });
  for (const name of names) close(savers[name], pathOf(`threads-${name}`));
  return [
    row("`list`, one thread of 5 steps", "limit 1", one, 1.5),
    row("`list` with a metadata filter", "1,000 threads x 5", filtered, 4),
  ];
}

/** What a filter finds, in an order that all savers can agree on. */
async function matching(saver) {
  const tuples = await listAll(saver, {}, { filter: FILTER });
  const key = ({ config }) => config.configurable.thread_id;
  return tuples
    .toSorted((left, right) => key(left).localeCompare(key(right)))
    .map(({ config, checkpoint, metadata }) => ({ config, checkpoint, metadata }));
}
