// The two savers, opened alike, and what a superstep asks of either.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";

import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

import { checkpointOf, messagesOf, metadataOf, twoAfter } from "./data.mjs";

const STOCK = "@langchain/langgraph-checkpoint-sqlite";
const PACKAGES = [STOCK, "@langchain/core", "better-sqlite3"];
const LEVELS = { normal: 1, full: 2 };

/** By name: opens a saver on a file. */
export const SAVERS = {
  stock: (path) => StockSaver.fromConnString(path),
  ours: (path) => SqliteSaver.fromConnString(path),
};

/** Versions by package, as their own files name them. */
export function versions() {
  const own = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const others = PACKAGES.map((name) => {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return [name, JSON.parse(readFileSync(file, "utf8")).version];
  });
  return { [own.name]: own.version, ...Object.fromEntries(others) };
}

/**
 * Opens a saver of a name on a file, with this `synchronous` in the write-ahead log. Both savers
 * set themselves up at their first call, which is made here.
 */
export async function open(name, path, synchronous) {
  const saver = SAVERS[name](path);
  await saver.getTuple(configOf("none"));
  saver.db.pragma(`synchronous = ${synchronous}`);
  strictEqual(saver.db.pragma("journal_mode", { simple: true }), "wal");
  strictEqual(saver.db.pragma("synchronous", { simple: true }), LEVELS[synchronous]);
  return saver;
}

/** Closes a saver, which moves the log into the file, and gives the file's size. */
export function close(saver, path) {
  saver.db.pragma("wal_checkpoint(TRUNCATE)");
  saver.db.close();
  return statSync(path).size;
}

export function configOf(threadId, step) {
  const configurable = { thread_id: threadId, checkpoint_ns: "" };
  if (step !== undefined) configurable.checkpoint_id = checkpointOf(step, []).id;
  return { configurable };
}

/** Stores the state of a step. */
export function put(saver, threadId, step, messages) {
  const checkpoint = checkpointOf(step, messages);
  const { __start__, ...changed } = checkpoint.channel_versions;
  const parent = configOf(threadId, step === 0 ? undefined : step - 1);
  return saver.put(parent, checkpoint, metadataOf(step, threadId), changed);
}

/** Stores what a task of a step wrote. */
export function putWrites(saver, threadId, step, written) {
  return saver.putWrites(configOf(threadId, step), [["messages", written]], `task-${step}`);
}

/** Fails unless a saver gives back what it was given. */
export async function expectRoundTrip(saver) {
  const [threadId, seed] = ["round-trip", 1];
  const messages = messagesOf(seed, 35_000);
  await put(saver, threadId, 0, messages);
  const written = twoAfter(messages, seed);
  await putWrites(saver, threadId, 0, written);
  const all = [...messages, ...written];
  await put(saver, threadId, 1, all);

  const first = await saver.getTuple(configOf(threadId, 0));
  deepStrictEqual(first.checkpoint, checkpointOf(0, messages));
  deepStrictEqual(first.pendingWrites, [["task-0", "messages", written]]);
  const latest = await saver.getTuple(configOf(threadId));
  deepStrictEqual(latest.checkpoint, checkpointOf(1, all));
  deepStrictEqual(latest.metadata, metadataOf(1, threadId));
  deepStrictEqual(latest.parentConfig, configOf(threadId, 0));
  await saver.deleteThread(threadId);
}
