// A program that leaves rows of write-behind unsent: it ends by itself, or at once.

import { KustoSaver } from "langgraph-checkpoint-wasm/kusto";

/** How many were added since the beginning. */
const listeners = () => EVENTS.map((name, at) => process.listenerCount(name) - before[at]);
const EVENTS = ["beforeExit", "exit"];
const before = EVENTS.map((name) => process.listenerCount(name));

const [options, checkpoints, ending] = process.argv.slice(2);
const savers = [];
// Many savers, one listener each would be too many.
for (let at = 0; at < 20; at += 1) {
  savers.push(await KustoSaver.fromConnectionString({ ...JSON.parse(options), batchSize: 1000 }));
}
for (const [at, checkpoint] of JSON.parse(checkpoints).entries()) {
  const config = { configurable: { thread_id: `t${at % 2}`, checkpoint_ns: "" } };
  await savers[at].put(config, checkpoint, { source: "loop", step: at, parents: {} }, { a: 1 });
}
console.log(...listeners());
if (ending === "close") {
  for (const saver of savers) await saver.close();
  console.log(...listeners());
}
if (ending === "exit") process.exit(3);
