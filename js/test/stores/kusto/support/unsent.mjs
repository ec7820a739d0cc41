// A program that ends, by itself or at once, with unsent rows in write-behind.

import { KustoSaver } from "langgraph-checkpoint-wasm/kusto";

/** How many listeners were added since the start. */
const listeners = () => EVENTS.map((name, at) => process.listenerCount(name) - before[at]);
const EVENTS = ["beforeExit", "exit"];
const before = EVENTS.map((name) => process.listenerCount(name));

const [options, checkpoints, ending] = process.argv.slice(2);
const savers = [];
// With this many savers, one listener each would cause a warning.
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
