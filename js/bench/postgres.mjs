// Compares this package's PostgreSQL saver with LangGraph's own, on one server:
//
//   node bench/postgres.mjs <connection string> [--quick]
//
// The role has to be a superuser's: the server's own counters of its log are read. A whole run
// writes its table into docs/.

import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { publishPostgres } from "./publish.mjs";
import { judged, place, RATIO, surroundings, tableOf, write } from "./report.mjs";
import { ALL, PostgresSavers } from "./savers-postgres.mjs";
import { expectRoundTrip } from "./supersteps.mjs";
import { run } from "./workloads/postgres.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = options;
const [url] = positionals;
if (url === undefined) {
  console.error("usage: node bench/postgres.mjs <connection string> [--quick]");
  process.exit(2);
}

const savers = new PostgresSavers(url);
const found = { ...surroundings({ quick }), versions: await savers.versions() };
const began = performance.now();
for (const name of ALL) {
  const { saver, drop } = await savers.openNew(name);
  await expectRoundTrip(saver);
  await drop();
}
const rows = judged(await run(savers, { quick }));
await savers.end();
found.seconds = (performance.now() - began) / 1_000;
found.load_after = loadavg().map((load) => Number(load.toFixed(2)));

const text = (ranges) => `${preamble()}\n\n${tableOf(rows, { ranges, names: ALL, quick })}\n`;
console.log(text(true));
const file = quick ? "postgres-quick" : "postgres";
console.log(`As Markdown: ${write(`${file}.md`, text(true))}`);
console.log(
  `As data: ${write(`${file}.json`, `${JSON.stringify({ ...found, rows }, undefined, 2)}\n`)}`,
);
if (!quick) publishPostgres(text(false));

function preamble() {
  return [
    `${place(found)}; load ${found.load_before.join(" ")} before and ` +
      `${found.load_after.join(" ")} after; ${Math.round(found.seconds)} s.`,
    "Stock is LangGraph's own PostgresSaver. Both are made by `fromConnString`, if a row does " +
      "not say otherwise, take turns, and have a schema of their own on one server, which waits " +
      'for the disk. "Opt-in" is ours with `prepare: true`. A superstep\'s `putWrites` and ' +
      "`put` are called in one tick. A cell is a median, or a single value. " +
      `${RATIO} It is that of the medians.`,
    ...(quick ? ["A quick run: few rounds, and a short chat. It does not judge targets."] : []),
  ].join("\n\n");
}
