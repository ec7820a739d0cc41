// Publishes a whole run: the table in docs/runtimes.md.

import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";

const DOCUMENT = new URL("../../docs/runtimes.md", import.meta.url);
const BEGIN = "<!-- made by cargo xtask matrix -->\n";
const END = "<!-- end -->\n";

/** Replaces the table between the marks of the document. */
export function publish(rows) {
  const text = readFileSync(DOCUMENT, "utf8");
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new Error("docs/runtimes.md has lost its marks");
  const before = text.slice(0, begin + BEGIN.length);
  const table = `${tableOf(rows)}\n\n${billOf(rows)}`;
  writeFileSync(DOCUMENT, `${before}${preamble()}\n\n${table}\n${text.slice(end)}`);
}

function preamble() {
  return `Measured on ${platform()} ${arch()}, ${cpus()[0]?.model.trim()}, ${cpus().length} CPUs.`;
}

/** What Cloudflare counts, in a table of its own. */
function billOf(rows) {
  const counted = rows.filter(({ cost }) => cost !== undefined);
  const lines = counted.map(({ cell, cost }) => {
    return [cell.store, cost.requests.toFixed(0), cost.rows.toFixed(1)];
  });
  return markdown([["a superstep on", "transactions", "rows and index entries written"], ...lines]);
}

const COLUMNS = [
  "runtime",
  "version",
  "store",
  "conformance",
  "transcripts",
  "README",
  "cold start",
  "stock",
  "JS + wasm, gzip",
];

function tableOf(rows) {
  const lines = rows.map(({ cell, kit, example, cold, stock, size, breaks }) => {
    const name = [cell.runtime, cell.version, cell.store];
    if (cell.reason !== undefined) return [...name, `not run: ${cell.reason}`, "", "", "", "", ""];
    if (kit === undefined) return [...name, `**broken**: ${breaks[0]}`, "", "", "", "", ""];
    const part = ({ passed, all }) => (passed === all ? `${all}` : `**${passed} of ${all}**`);
    const sizes = `${kilobytes(size.jsGzip)} + ${kilobytes(size.coreGzip)}`;
    return [
      ...name,
      part(kit.conformance),
      part(kit.transcripts),
      example ? "runs" : "**fails**",
      `${cold.toFixed(0)} ms`,
      stock === undefined ? "" : `${stock.toFixed(0)} ms`,
      sizes,
    ];
  });
  return markdown([COLUMNS, ...lines]);
}

/** A table whose first row is its head. */
function markdown([head, ...lines]) {
  return [head, head.map(() => "---"), ...lines]
    .map((cells) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} KB`;
}
