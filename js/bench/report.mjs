// The table, and the same as data.

import { mkdirSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, loadavg, platform } from "node:os";
import { fileURLToPath } from "node:url";

import { messagesOf, SIZES } from "./data.mjs";
import { versions } from "./savers.mjs";

const FOLDER = new URL("../../target/bench/", import.meta.url);

const TITLES = {
  put: "`put` of a new state",
  append: "two messages more: `putWrites`, `put`",
  getTuple: "`getTuple` of that",
  "chat, time": "a chat growing by two messages a step",
  "chat, stored": "the same chat in the file",
};

/** Where and with what it was measured. */
export function surroundings(synchronous) {
  return {
    measured_at: new Date().toISOString(),
    versions: versions(),
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    cpus: availableParallelism(),
    load: loadavg().map((load) => Number(load.toFixed(2))),
    synchronous,
  };
}

/** Prints the table in Markdown. */
export function printTable(found, rows) {
  const named = Object.entries(found.versions).map(([name, version]) => `${name} ${version}`);
  const counts = Object.entries(SIZES).map(([label, bytes]) => {
    return `${label}: ${messagesOf(1, bytes).length}`;
  });
  console.log(`${named.join(", ")}.`);
  console.log(
    `Node.js ${found.node} on ${found.platform}, ${found.cpus} CPUs, ` +
      `load ${found.load.join(" ")}; both savers in one process, in turns, in files with a ` +
      `write-ahead log and synchronous = ${found.synchronous}.`,
  );
  console.log(`Messages: ${counts.join("; ")}.`);
  console.log(
    "A cell is the median (least to greatest). The ratios say how many times less ours is,",
  );
  console.log(
    "by the medians and by the least: on a busy machine the least is what was not disturbed.",
  );
  console.log("\n| what | size | stock | ours | ratio | of least |");
  console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
  for (const { operation, size, unit, stock, ours } of rows) {
    const ratios = ["median", "min"].map((of) => `${(stock[of] / ours[of]).toFixed(2)}x`);
    const cells = [TITLES[operation], size, cell(stock, unit), cell(ours, unit), ...ratios];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

/** Writes what was measured as JSON, and gives the file's path. */
export function write(found, rows) {
  mkdirSync(FOLDER, { recursive: true });
  const file = fileURLToPath(new URL(`savers-${found.synchronous}.json`, FOLDER));
  writeFileSync(file, `${JSON.stringify({ ...found, rows }, undefined, 2)}\n`);
  return file;
}

function cell({ median, min, max, count }, unit) {
  const [shown, suffix] =
    unit === "bytes"
      ? [(bytes) => (bytes / 1e6).toFixed(2), "MB"]
      : [(time) => time.toFixed(2), "ms"];
  const range = count === 1 ? "" : ` (${shown(min)} to ${shown(max)})`;
  return `${shown(median)} ${suffix}${range}`;
}
