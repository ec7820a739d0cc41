// Compares this package's SQLite saver with LangGraph's own and with its MemorySaver:
//
//   node bench/run.mjs [--quick] [--only <workload>] [--synchronous normal|full]
//
// `synchronous` defaults to normal, the stock saver's level; `full` and `readme` always run at
// full. A whole run writes its table and its picture into docs/, and the README's rows.
// `--only readme` writes only those rows.

import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { drawGrowth } from "./picture.mjs";
import { publishReadme, publishTable } from "./publish.mjs";
import { judged, preamble, surroundings, tableOf, write } from "./report.mjs";
import { ALL, close, open } from "./savers.mjs";
import { expectRoundTrip } from "./supersteps.mjs";

const WORKLOADS = [
  "growth",
  "states",
  "full",
  "cold",
  "history",
  "threads",
  "processes",
  "graph",
  "memory",
  "long",
  "readme",
];

/** The workloads that run at `synchronous` FULL whatever the option says. */
const AT_FULL = ["full", "readme"];

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    synchronous: { type: "string", default: "normal" },
  },
});
const { quick, only } = options;
const synchronous = AT_FULL.includes(only) ? "full" : options.synchronous;
const chosen = WORKLOADS.filter((name) => only === undefined || only === name);
if (chosen.length === 0) fail(`--only takes one of: ${WORKLOADS.join(", ")}`);
if (!["normal", "full"].includes(synchronous)) fail("--synchronous is normal or full");

const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-bench-"));
const settings = { pathOf: (name) => join(folder, `${name}.db`), synchronous, quick };
try {
  await expectRoundTrips();
  const found = surroundings(settings);
  const began = performance.now();
  const measured = await measureAll();
  found.seconds = (performance.now() - began) / 1_000;
  found.load_after = loadavg().map((load) => Number(load.toFixed(2)));
  report(found, measured);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

/** Throws unless every saver returns what it stored. */
async function expectRoundTrips() {
  for (const name of ALL) {
    const path = settings.pathOf(`round-trip-${name}`);
    const saver = await open(name, path, synchronous);
    await expectRoundTrip(saver);
    close(saver, path);
  }
}

async function measureAll() {
  const measured = [];
  for (const name of chosen) {
    const began = performance.now();
    const { run } = await import(`./workloads/${name}.mjs`);
    measured.push(...(await run(settings)));
    console.error(`${name}: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  }
  return measured;
}

function report(found, measured) {
  const rows = judged(measured.filter(({ values }) => values !== undefined));
  const curves = measured.filter(({ curve }) => curve !== undefined);
  const table = tableOf(rows, { ranges: true, quick });
  const text = `${preamble(found, { ranges: true })}\n\n${table}\n`;
  console.log(text);
  const name = ["savers", synchronous, ...(quick ? ["quick"] : []), ...(only ? [only] : [])].join(
    "-",
  );
  const data = { ...found, rows, curves };
  console.log(`As Markdown: ${write(`${name}.md`, text)}`);
  console.log(`As data: ${write(`${name}.json`, `${JSON.stringify(data, undefined, 2)}\n`)}`);
  const front = rows.filter(({ workload }) => workload === "readme");
  if (!quick && front.length > 0) publishReadme(found, front);
  if (curves.length === 0) return;
  const picture = drawGrowth(curves);
  console.log(`The growth: ${write(`${name}.svg`, picture)}`);
  if (!quick && only === undefined) publishTable(found, rows, picture);
}
