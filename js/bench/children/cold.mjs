// The first use of a saver in a fresh process. Nothing is imported before the clock starts.

import { strictEqual } from "node:assert/strict";
import { performance } from "node:perf_hooks";

const PACKAGES = {
  stock: "@langchain/langgraph-checkpoint-sqlite",
  ours: "langgraph-checkpoint-wasm/sqlite",
};

/**
 * Imports a saver, opens a file, and reads a thread, which must have this many messages, or be
 * missing if undefined.
 */
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
