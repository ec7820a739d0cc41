// Microsoft's parser accepts everything that the saver sends, as the local server logged it, and
// each literal in it has the value that it was made of.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { KustoSaver } from "../../js/dist/entries/kusto.js";
import { analyze, database as known, decode } from "../kusto-language/language.mjs";
import { made } from "../kusto-language/schema.mjs";

const clusterUri = process.env.KUSTO_CLUSTER_URI;
const schema = known(made(readFileSync(new URL("../../provision.kql", import.meta.url), "utf8")));

const LITERALS = 2000;
const PIECES = ['"', "'", "\\", "\n", "\r", "\t", "\u0001", "\u007f", "\u0085", "\u2028", "\u2029"];
PIECES.push("\ufeff", "\u00e9", "\u{1f600}", ";", "//", "|", "```", "~~~", "@'", 'h"', "\\u0041");
PIECES.push(" or true ", "p_thread", ")", "]", "}", "--", "x");

// Mulberry32, so that each run has the same texts.
let state = 4;
function draw(count) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
}

function text() {
  return Array.from({ length: 1 + draw(7) }, () => PIECES[draw(PIECES.length)]).join("");
}

// Every literal that a saver sends in calls on threads, without a server.
async function checkLiterals() {
  let literals;
  const saver = await KustoSaver.fromConnectionString({
    clusterUri,
    database: "none",
    fetch: async (_, request) => {
      literals = JSON.parse(new TextDecoder().decode(request.body)).properties.Parameters;
      return new Response("{}", { status: 400 });
    },
  });
  for (let count = 0; count < LITERALS / 2; count += 1) {
    const [thread, ns] = [text(), text()];
    const tuple = saver.getTuple({ configurable: { thread_id: thread, checkpoint_ns: ns } });
    await assert.rejects(tuple, { code: "store-refused" });
    assert.equal(decode(literals.p_thread), thread);
    assert.equal(decode(literals.p_ns), ns);
  }
}

// Calls of every kind, with texts that would do harm if they were parsed as KQL.
async function call(options) {
  const saver = await KustoSaver.fromConnectionString({ clusterUri, ...options });
  await saver.setup();
  const [thread, ns, user] = [text(), text(), text()];
  const config = { configurable: { thread_id: thread, checkpoint_ns: ns } };
  const versions = { plain: 1, list: 1 };
  const checkpoint = {
    v: 4,
    id: "1f0c0000-0000-6000-8000-000000000001",
    ts: "2026-01-01T00:00:00.000Z",
    channel_values: { plain: 1, list: Array.from({ length: 8 }, (_, at) => `${at}`.repeat(150)) },
    channel_versions: versions,
    versions_seen: {},
  };
  const metadata = { source: "loop", step: 1, run_id: text(), parents: {}, [text()]: user };
  const stored = await saver.put(config, checkpoint, metadata, versions);
  await saver.putWrites(stored, [[text(), user]], text());
  const reader = await KustoSaver.fromConnectionString({ clusterUri, ...options });
  assert.deepEqual((await reader.getTuple(stored)).metadata, metadata);
  const { source, step, run_id } = metadata;
  const filters = [undefined, { source }, { step }, { run_id }, metadata, { source: text() }];
  for (const filter of filters) {
    const found = [];
    for await (const tuple of reader.list(config, { filter, limit: 3 })) found.push(tuple);
    assert.equal(found.length, filter?.source === undefined || filter.source === source ? 1 : 0);
  }
  for await (const _ of reader.list({}, { before: stored, limit: 1 })) assert.fail("is not before");
  await reader.deleteThread(text());
  assert.notEqual(await reader.getTuple(config), undefined);
  await reader.deleteThread(thread);
  assert.equal(await saver.getTuple(config), undefined);
  await saver.close();
}

// The requests that the local server has logged for a database.
async function seen(database) {
  const response = await fetch(`${clusterUri}/local/log?database=${database}`);
  return (await response.json()).filter((one) => one.text !== "" && one.place !== "ingest");
}

await checkLiterals();
let count = 0;
for (const options of [{}, { admin: true }, { ingestMode: "inline", admin: true }]) {
  const database = `texts-${count}`;
  await call({ ...options, database });
  for (const sent of new Set((await seen(database)).map((one) => one.text))) {
    assert.deepEqual(analyze(sent, schema).errors, [], sent);
    count += 1;
  }
}
console.log(`Microsoft's parser accepts ${count} queries and commands, and ${LITERALS} literals`);
