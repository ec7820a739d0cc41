// What a run shows to readers: the table and the picture in docs/, and the README's rows.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { comparisonOf, place, preamble, tableOf } from "./report.mjs";

const README = new URL("../../README.md", import.meta.url);
const TABLE = new URL("../../docs/benchmarks.md", import.meta.url);
const PICTURE = new URL("../../docs/growth.svg", import.meta.url);
const BEGIN = "<!-- made by cargo xtask bench -->\n";
const END = "<!-- end -->\n";
/** In the published table; all of them, with ranges, are in the files of the run. */
const NAMES = ["stock", "ours", "optIn"];

/** Writes the rows that have targets, and the picture. */
export function publishTable(found, rows, picture) {
  const judged = rows.filter(({ judgements }) => judgements.length > 0);
  const shape = { ranges: false, names: NAMES };
  replace(TABLE, `${preamble(found, shape)}\n\n${tableOf(judged, shape)}\n`);
  writeFileSync(PICTURE, picture);
  console.log(`Published: ${fileURLToPath(PICTURE)}`);
}

/** Writes the README's rows. */
export function publishReadme(found, rows) {
  replace(README, `${comparisonOf(rows)}\n\n${place(found)}.\n`);
}

/** Puts a text between the marks of a document. */
function replace(url, text) {
  const path = fileURLToPath(url);
  const [before, rest] = cut(path, readFileSync(url, "utf8"), BEGIN);
  const [, after] = cut(path, rest, END);
  writeFileSync(url, `${before}${BEGIN}${text}${END}${after}`);
  console.log(`Published: ${path}`);
}

function cut(path, whole, mark) {
  const index = whole.indexOf(mark);
  if (index === -1) throw new Error(`${path} has no line ${mark}`);
  return [whole.slice(0, index), whole.slice(index + mark.length)];
}
