// Publishes a whole run: the tables in docs/runtimes.md.

import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";

import { coreSizes } from "./sizes.mjs";

const DOCUMENT = new URL("../../docs/runtimes.md", import.meta.url);
const BEGIN = "<!-- made by cargo xtask matrix -->\n";
const END = "<!-- end -->\n";

/** Replaces what is between the marks of the document: the cells, then the sizes. */
export function publish(rows) {
  const [head, ...parts] = readFileSync(DOCUMENT, "utf8").split(BEGIN);
  const tables = [`${preamble()}\n\n${tableOf(rows)}\n\n${billOf(rows)}`, sizesOf(rows)];
  if (parts.length !== tables.length || !parts.every((part) => part.includes(END))) {
    throw new Error("docs/runtimes.md has lost its marks");
  }
  const made = parts.map((part, index) => {
    return `${BEGIN}${tables[index]}\n${part.slice(part.indexOf(END))}`;
  });
  writeFileSync(DOCUMENT, head + made.join(""));
}

function preamble() {
  return `Measured on ${platform()} ${arch()}, ${cpus()[0]?.model.trim()}, ${cpus().length} CPUs.`;
}

/** What Cloudflare counts, in a table of its own. */
function billOf(rows) {
  const counted = rows.filter(({ cost }) => cost !== undefined);
  const lines = counted.map(({ cell, cost }) => {
    const rows = [cost.written, cost.read].map((count) => count.toFixed(1));
    const invocation = cell.store === "D1" ? String(cost.invocation) : "";
    return [cell.store, cost.requests.toFixed(0), ...rows, invocation];
  });
  const head = [
    "a superstep on",
    "transactions",
    "rows and index entries written",
    "rows read",
    "requests of an invocation of one node",
  ];
  return markdown([head, ...lines]);
}

/** Which savers alone use a core module. */
const USERS = { kusto: "Kusto", postgres: "PostgreSQL" };

/** The sizes of the core modules, and of what a Worker gets of them. */
function sizesOf(rows) {
  const lines = coreSizes().map(({ name, raw, gzip }) => {
    const user = USERS[/^planner-(\w+)/.exec(name)?.[1]];
    const note = user === undefined ? "" : `, which only ${user}'s savers use`;
    return [`\`${name}\`${note}`, kilobytes(raw), kilobytes(gzip)];
  });
  const { size } = rows.find(({ cell }) => cell.store === "Durable Object") ?? {};
  if (size !== undefined) {
    const what = "what a Worker with a saver uploads, without LangGraph";
    lines.push([what, kilobytes(size.js + size.core), kilobytes(size.gzip)]);
  }
  return markdown([["", "raw", "gzip"], ...lines]);
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
