// The saver of the built npm package and Microsoft's client on one database: each reads what the
// other writes.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { KustoSaver } from "../../js/dist/entries/kusto.js";

const { KUSTO_CLUSTER_URI: clusterUri, KUSTO_DATABASE: database, PYTHON = "python3" } = process.env;
if (clusterUri === undefined || database === undefined) {
  throw new Error("set KUSTO_CLUSTER_URI and KUSTO_DATABASE");
}

// What Microsoft's client prints.
function client(...args) {
  const script = fileURLToPath(new URL("client.py", import.meta.url));
  return execFileSync(PYTHON, ["-B", script, ...args], { encoding: "utf8" });
}

const LONG = "long enough to be a row of its own, \u2028 \"quoted\" \\ ".repeat(5);

function checkpoint(number, messages) {
  const version = number + 1;
  return {
    v: 4,
    id: `1f0c0000-0000-6000-8000-00000000000${number}`,
    ts: `2026-01-01T00:00:0${number}.000Z`,
    channel_values: { count: number, messages, bytes: new Uint8Array([0, 255, number]) },
    channel_versions: { count: version, messages: version, bytes: version },
    versions_seen: { agent: { messages: number } },
  };
}

const thread = `official "client" \\ ${randomUUID()}`;
const other = `${thread} copied`;
const config = (id) => ({ configurable: { thread_id: id, checkpoint_ns: "" } });

const saver = await KustoSaver.fromConnectionString({ clusterUri, database });
await saver.setup();
let at = config(thread);
for (const number of [0, 1, 2]) {
  const messages = Array.from({ length: number + 1 }, (_, index) => `${index}: ${LONG}`);
  const value = checkpoint(number, messages);
  const metadata = { source: "loop", step: number, parents: {}, user_id: "ada" };
  at = await saver.put(at, value, metadata, value.channel_versions);
}
await saver.putWrites(at, [["messages", { answer: 42 }]], "task-1");

const seen = client("checkpoints", thread).trim().split("\n").map((line) => JSON.parse(line));
assert.deepEqual(
  seen.map(({ checkpoint_id, step, metadata, state }) => [
    checkpoint_id.at(-1),
    step,
    metadata.user_id,
    state.count,
  ]),
  [
    ["2", 2, "ada", 2],
    ["1", 1, "ada", 1],
    ["0", 0, "ada", 0],
  ],
);

// Another table, made as docs/kusto.md says: by the script with its name.
const table = "CheckpointCopy";
const folder = mkdtempSync(join(tmpdir(), "kusto-client-"));
const script = join(folder, "provision.kql");
const provision = readFileSync(new URL("../../provision.kql", import.meta.url), "utf8");
writeFileSync(script, provision.replaceAll("CheckpointLog", table));
client("provision", script);
rmSync(folder, { recursive: true });
client("copy", thread, thread, table);
const copied = await KustoSaver.fromConnectionString({ clusterUri, database, table });
const ours = await saver.getTuple(config(thread));
const theirs = await copied.getTuple(config(thread));
assert.equal(theirs.checkpoint.channel_values.messages.length, 3);
assert.deepEqual(theirs.checkpoint, ours.checkpoint);
assert.deepEqual(theirs.metadata, ours.metadata);
assert.deepEqual(theirs.pendingWrites, [["task-1", "messages", { answer: 42 }]]);
client("copy", thread, other, "CheckpointLog");
await assert.rejects(saver.getTuple(config(other)), { code: "damaged-envelope" });
await Promise.all([saver.close(), copied.close()]);
console.log("Microsoft's client and the saver read what the other one wrote");
