// One more step of a very long thread.

import { strictEqual } from "node:assert/strict";
import { copyFileSync } from "node:fs";

import { shortMessageOf } from "../data.mjs";
import { inTurns, timed } from "../sampling.mjs";
import { ALL, close, open } from "../savers.mjs";
import { configOf, put, superstep } from "../supersteps.mjs";

const MESSAGES = 32_000;
const SEED = 13;
const THREAD = "long";

export async function run({ pathOf, synchronous, quick }) {
  const each = quick ? 800 : 32;
  const names = quick ? ALL.filter((name) => name !== "memory") : ALL;
  const built = pathOf("long-built");
  await build("optIn", built, synchronous, each);
  const [savers, states, step] = [{}, {}, MESSAGES / each];
  for (const name of names) {
    const path = pathOf(`long-${name}`);
    if (name === "ours" || name === "optIn") copyFileSync(built, path);
    savers[name] = await open(name, path, synchronous);
    // The stock saver's file of all these steps would have 151 GB, so it gets only the last state.
    if (name === "stock" || name === "memory") {
      await put(savers[name], THREAD, step, messagesUpTo(MESSAGES));
    }
    const tuple = await savers[name].getTuple(configOf(THREAD));
    states[name] = tuple.checkpoint.channel_values.messages;
    strictEqual(states[name].length, MESSAGES);
  }
  const warmUps = quick ? 1 : 2;
  const times = await inTurns(names, { rounds: quick ? 3 : 20, warmUps }, (name, round) => {
    const written = [0, 1].map((more) => shortMessageOf(SEED, states[name].length + more));
    states[name] = [...states[name], ...written];
    const next = step + 1 + warmUps + round;
    return timed(() => superstep(savers[name], THREAD, next, states[name], written));
  });
  const rows = Object.fromEntries(
    names.filter((name) => savers[name].db).map((name) => [name, [biggestRow(savers[name].db)]]),
  );
  const bytes = { ours: [close(savers.ours, pathOf("long-ours"))] };
  for (const name of names.filter((other) => other !== "ours")) {
    close(savers[name], pathOf(`long-${name}`));
  }
  return rowsOf({ times, rows, bytes }, `32,000 messages, ${each} a step`);
}

function rowsOf({ times, rows, bytes }, size) {
  const row = (what, unit, values, targets) => {
    return { workload: "long", what: `long thread: ${what}`, size, unit, values, targets };
  };
  return [
    row("two messages more", "ms", times, [
      { of: "ours", timesLess: 10 },
      { of: "optIn", atMost: 1 },
    ]),
    row("biggest row", "bytes", rows, [{ of: "ours", atMost: 64 * 1024 }]),
    row("file", "bytes", bytes, [{ of: "ours", atMost: 40e6 }]),
  ];
}

function messagesUpTo(count) {
  return Array.from({ length: count }, (_, number) => shortMessageOf(SEED, number));
}

/** Grows the long thread by `each` messages a step. */
async function build(name, path, synchronous, each) {
  const all = messagesUpTo(MESSAGES);
  const saver = await open(name, path, synchronous);
  await put(saver, THREAD, 0, []);
  for (let step = 1; step * each <= MESSAGES; step += 1) {
    const [state, written] = [all.slice(0, step * each), all.slice((step - 1) * each, step * each)];
    await superstep(saver, THREAD, step, state, written);
  }
  close(saver, path);
}

/** The size in bytes of the biggest row of all tables. */
function biggestRow(db) {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const sizes = tables.map((table) => {
    const columns = db.pragma(`table_info(${quoted(table)})`);
    const lengths = columns.map(({ name }) => `ifnull(octet_length(${quoted(name)}), 0)`);
    const text = `SELECT ifnull(max(${lengths.join(" + ")}), 0) FROM ${quoted(table)}`;
    return db.prepare(text).pluck().get();
  });
  return Math.max(...sizes.map(Number));
}

function quoted(name) {
  return `"${name.replaceAll('"', '""')}"`;
}
