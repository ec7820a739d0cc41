// This package's SQLite saver beside LangGraph's own, in one process:
//
//   node bench/run.mjs [--quick] [--synchronous=normal|full]
//
// The stock saver's level is normal, so that is what is measured unless said otherwise.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { SIZES } from "./data.mjs";
import { expectRoundTrips, measureChat, measureSize } from "./measure.mjs";
import { printTable, surroundings, write } from "./report.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    synchronous: { type: "string", default: "normal" },
  },
});
const { quick, synchronous } = options;
if (synchronous !== "normal" && synchronous !== "full") {
  console.error("--synchronous is normal or full");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-bench-"));
const settings = { pathOf: (name) => join(folder, `${name}.db`), synchronous, quick };
try {
  await expectRoundTrips(settings.pathOf, synchronous);
  const rows = [];
  for (const label of Object.keys(SIZES)) rows.push(...(await measureSize(label, settings)));
  rows.push(...(await measureChat(settings)));
  const found = surroundings(synchronous);
  printTable(found, rows);
  console.log(`\nThe same as data: ${write(found, rows)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
