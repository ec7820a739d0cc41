// What a growing chat costs on Kusto, in requests and bytes:
//
//   node bench/kusto.mjs <cluster URI> [--database <name>] [--quick]
//
// For comparison it computes the rows of a saver that stores every changed channel as a whole row.
// Those rows are of the same chat, and are not sent.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

import { KustoSaver } from "langgraph-checkpoint-wasm/kusto";

import { messageOf } from "./data.mjs";
import { write } from "./report.mjs";
import { configOf, put, superstep } from "./supersteps.mjs";
import { WholeRows } from "./whole-rows.mjs";

const SEED = 7;
/** Figures are means over this many supersteps at the end. */
const LAST = 10;
const THREAD = "chat";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: "string", default: `bench_${randomBytes(4).toString("hex")}` },
    quick: { type: "boolean", default: false },
  },
});
const [clusterUri] = positionals;
if (clusterUri === undefined) {
  console.error("usage: node bench/kusto.mjs <cluster URI> [--database <name>] [--quick]");
  process.exit(2);
}
const steps = options.quick ? 50 : 200;

/** Counts what is sent. */
class Meter {
  requests = 0;
  plainBytes = 0;
  sentBytes = 0;

  fetch = async (url, init) => {
    const body = init.body ?? new Uint8Array();
    const packed = new Headers(init.headers).get("content-encoding") === "gzip";
    this.requests += 1;
    this.plainBytes += packed ? gunzipSync(body).length : body.length;
    this.sentBytes += body.length;
    return fetch(url, init);
  };

  /** What is sent while `run` runs. */
  async during(run) {
    const { requests, plainBytes, sentBytes } = this;
    await run();
    return {
      requests: this.requests - requests,
      plainBytes: this.plainBytes - plainBytes,
      sentBytes: this.sentBytes - sentBytes,
    };
  }
}

function open(meter, more = {}) {
  const { database } = options;
  return KustoSaver.fromConnectionString({ clusterUri, database, fetch: meter.fetch, ...more });
}

/** Grows a chat, and returns the cost of each superstep. */
async function grow(thread, { saver, meter, afterStep = () => {} }) {
  const messages = [];
  const costs = [];
  await put(saver, thread, 0, []);
  for (let step = 1; step <= steps; step += 1) {
    const written = [0, 1].map((index) => messageOf(SEED, messages.length + index));
    messages.push(...written);
    const state = [...messages];
    const run = async () => {
      await superstep(saver, thread, step, state, written);
      await afterStep(step);
    };
    costs.push(await meter.during(run));
  }
  return costs;
}

/** The mean of the last `LAST` costs. */
function meanOf(costs) {
  const last = costs.slice(-LAST);
  const mean = (name) => last.reduce((sum, cost) => sum + cost[name], 0) / last.length;
  return {
    requests: mean("requests"),
    plainBytes: mean("plainBytes"),
    sentBytes: mean("sentBytes"),
  };
}

async function writeThrough() {
  const meter = new Meter();
  const saver = await open(meter);
  return meanOf(await grow(THREAD, { saver, meter }));
}

/** One flush for every ten supersteps. */
async function writeBehind() {
  const meter = new Meter();
  const saver = await open(meter, { batchSize: 1_000_000, flushInterval: 3600 });
  const flushes = [];
  await grow("behind", {
    saver,
    meter,
    afterStep: async (step) => {
      if (step % LAST === 0) flushes.push(await meter.during(() => saver.flush()));
    },
  });
  const { requests, plainBytes, sentBytes } = flushes.at(-1);
  return { requests, plainBytes: plainBytes / LAST, sentBytes: sentBytes / LAST };
}

/** Reads the chat twice with one saver: cold, and when the saver remembers it. */
async function reads() {
  const meter = new Meter();
  const saver = await open(meter);
  const read = () => saver.getTuple(configOf(THREAD));
  const cold = await meter.during(read);
  const warm = await meter.during(read);
  return { cold, warm };
}

async function wholeRows() {
  const saver = new WholeRows();
  return meanOf(await grow(THREAD, { saver, meter: saver }));
}

const [through, behind, whole] = [await writeThrough(), await writeBehind(), await wholeRows()];
const { cold, warm } = await reads();
const count = (value) => String(Number(value.toFixed(2)));
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;
const ROWS = [
  ["requests a superstep, write-through", through.requests, whole.requests, 3, count],
  [
    "bytes a superstep, before compression",
    through.plainBytes,
    whole.plainBytes,
    12_000,
    kilobytes,
  ],
  ["bytes a superstep, as sent", through.sentBytes, whole.sentBytes, undefined, kilobytes],
  // One for the rows, and one that looks for their threads' tombstones.
  ["requests a flush, write-behind", behind.requests, 3, 2, count],
  [
    "bytes a superstep, write-behind, before compression",
    behind.plainBytes,
    whole.plainBytes,
    undefined,
    kilobytes,
  ],
  ["requests of getTuple, cold", cold.requests, undefined, 1, count],
  ["requests of getTuple, warm", warm.requests, undefined, 1, count],
];

function tableLine([what, own, other, target, show]) {
  const cells = [
    what,
    show(own),
    other === undefined ? "" : show(other),
    target === undefined ? "" : `at most ${show(target)}`,
    target === undefined ? "" : own <= target ? "met" : "**missed**",
  ];
  return `| ${cells.join(" | ")} |`;
}

const text = [
  `A chat of ${steps} supersteps, two messages each, on Kusto; a figure is the mean of the last ` +
    `${LAST}. "Whole rows" is computed: every channel that changed in a row, whole, and a ` +
    "request for each table.",
  "",
  "| what | ours | whole rows | target | |",
  "| --- | ---: | ---: | --- | --- |",
  ...ROWS.map(tableLine),
  "",
].join("\n");
console.log(text);
const name = options.quick ? "kusto-quick" : "kusto";
const data = { measured_at: new Date().toISOString(), steps, through, behind, whole, cold, warm };
console.log(`As Markdown: ${write(`${name}.md`, text)}`);
console.log(`As data: ${write(`${name}.json`, `${JSON.stringify(data, undefined, 2)}\n`)}`);
