// A process that stores checkpoints and acknowledges them:
//
//   node writer.mjs <database> <thread> <name> <count> [<cacheBytes>]
//
// For each checkpoint whose promises are resolved it prints its id, a digest of its values, and a
// digest of its write. A count of 0 means: until it is killed.

import { createHash } from "node:crypto";
import { writeSync } from "node:fs";

import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

const [database, thread, name, count, cache] = process.argv.slice(2);
const cacheBytes = cache === undefined ? undefined : Number(cache);
const saver = SqliteSaver.fromConnString(database, { busyDeadlineMs: 60_000, cacheBytes });
const digest = (value) => createHash("sha256").update(JSON.stringify(value)).digest("hex");

const messages = [];
let parent;
for (let number = 1; number <= Number(count) || count === "0"; number += 1) {
  const id = `1f000000-0000-6000-8000-${String(number).padStart(8, "0")}${name}`;
  messages.push({ id: number, from: name, text: "word ".repeat((number * 37) % 300) });
  const values = { messages, files: { [name]: "line\n".repeat(number % 50) }, number };
  const version = number;
  const checkpoint = {
    v: 4,
    id,
    ts: "2027-01-01T00:00:00.000Z",
    channel_values: values,
    channel_versions: { messages: version, files: version, number: version },
    versions_seen: {},
  };
  const config = { configurable: { thread_id: thread, checkpoint_id: parent } };
  const written = { configurable: { thread_id: thread, checkpoint_id: id } };
  const write = { by: name, number };
  const line = `${id} ${digest(values)} ${digest(write)}\n`;
  await Promise.all([
    saver.put(
      config,
      checkpoint,
      { source: "loop", step: number, parents: {} },
      { messages: version, files: version, number: version },
    ),
    saver.putWrites(written, [["messages", write]], `task-${name}`),
  ]);
  parent = id;
  // Written synchronously, so that acknowledgements are known when the process is killed.
  writeSync(1, line);
}
saver.close();
