// What a process that has not run before waits for: nothing is imported ahead of the clock.

import { strictEqual } from "node:assert/strict";
import { performance } from "node:perf_hooks";

const PACKAGES = {
  stock: "@langchain/langgraph-checkpoint-sqlite",
  ours: "langgraph-checkpoint-wasm/sqlite",
};

/** Imports a saver, opens a file, reads a thread of so many messages, or none. */
export async function run({ name, path, threadId, messages }) {
  const began = performance.now();
  const { SqliteSaver } = await import(PACKAGES[name]);
  const imported = performance.now();
  const saver = SqliteSaver.fromConnString(path, { synchronous: "normal" });
  const tuple = await saver.getTuple({ configurable: { thread_id: threadId } });
  const ended = performance.now();
  strictEqual(tuple?.checkpoint.channel_values.messages.length, messages);
  saver.db.close();
  return { all: ended - began, used: ended - imported };
}
