// A process that sweeps a store once, if it gets the lease, and prints how many threads it pruned:
//
//   node sweeper.mjs <database> <limit>

import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

const [database, limit] = process.argv.slice(2);
const saver = SqliteSaver.fromConnString(database, { busyDeadlineMs: 60_000 });
const { threads } = await saver.sweep({
  idleFor: 0,
  strategy: "delete",
  limit: Number(limit),
  leaseMs: 3_600_000,
  now: () => Date.UTC(2027, 0, 1),
  throwIfAborted() {},
});
console.log(threads);
saver.close();
