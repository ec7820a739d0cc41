// One leg of a relay, in any runtime: relay.mjs <store> <database> <leg>. The first leg must find
// an empty thread. Prints the digest of what is stored.

import { digestOf } from "../../dist/testing/rows.js";

const [store, path, number] = globalThis.process.argv.slice(2);
const leg = Number(number);
const { SqliteSaver } = await import(`../../dist/entries/${store}.js`);
const saver = SqliteSaver.fromConnString(path);

const before = await saver.getTuple({ configurable: { thread_id: "relay" } });
const messages = [...(before?.checkpoint.channel_values.messages ?? []), message()];
if (messages.length !== leg + 1)
  throw new Error(`leg ${leg} found ${messages.length - 1} messages`);

const id = `1f000000-0000-6000-8000-${String(leg).padStart(12, "0")}`;
const parent = before?.config.configurable.checkpoint_id;
await saver.put(
  configOf(parent),
  {
    v: 4,
    id,
    ts: "2027-01-01T00:00:00.000Z",
    channel_values: { messages },
    channel_versions: { messages: leg + 1 },
    versions_seen: {},
  },
  { source: "loop", step: leg, parents: {} },
  { messages: leg + 1 },
);
await saver.putWrites(configOf(id), [["count", leg]], `task-${leg}`);
console.log(await digestOf(saver.adapter));
saver.close();

function message() {
  return { id: `m-${leg}`, content: `leg ${leg} of many `.repeat(20) };
}

function configOf(checkpointId) {
  const ids = { thread_id: "relay", checkpoint_ns: "" };
  return {
    configurable: checkpointId === undefined ? ids : { ...ids, checkpoint_id: checkpointId },
  };
}
