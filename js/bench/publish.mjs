// Publishes a run: the table and the picture in docs/, and the README's rows.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { comparisonOf, place, preamble, tableOf } from "./report.mjs";

const README = new URL("../../README.md", import.meta.url);
const TABLE = new URL("../../docs/benchmarks.md", import.meta.url);
const PICTURE = new URL("../../docs/growth.svg", import.meta.url);
const BEGIN = "<!-- made by cargo xtask bench -->\n";
const BEGIN_POSTGRES = "<!-- made by cargo xtask bench --only postgres -->\n";
const END = "<!-- end -->\n";
/** The savers of the published table. The files of the run have all savers, with ranges. */
const NAMES = ["stock", "ours", "optIn"];

/** Publishes the rows that have targets, and the picture. */
export function publishTable(found, rows, picture) {
  const judged = rows.filter(({ judgements }) => judgements.length > 0);
  const shape = { ranges: false, names: NAMES };
  replace(TABLE, `${preamble(found, shape)}\n\n${tableOf(judged, shape)}\n`);
  writeFileSync(PICTURE, picture);
  console.log(`Published: ${fileURLToPath(PICTURE)}`);
}

/** Publishes the README's rows. */
export function publishReadme(found, rows) {
  replace(README, `${comparisonOf(rows)}\n\n${place(found)}.\n`);
}

/** Publishes the table of the savers on PostgreSQL. */
export function publishPostgres(text) {
  replace(TABLE, text, BEGIN_POSTGRES);
}

/** Replaces the text between the marks of a document. */
function replace(url, text, begin = BEGIN) {
  const path = fileURLToPath(url);
  const [before, rest] = cut(path, readFileSync(url, "utf8"), begin);
  const [, after] = cut(path, rest, END);
  writeFileSync(url, `${before}${begin}${text}${END}${after}`);
  console.log(`Published: ${path}`);
}

function cut(path, whole, mark) {
  const index = whole.indexOf(mark);
  if (index === -1) throw new Error(`${path} has no line ${mark}`);
  return [whole.slice(0, index), whole.slice(index + mark.length)];
}
