// What a whole run shows to readers: the picture in docs/ and the table in the README.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { preamble, tableOf } from "./report.mjs";

const README = new URL("../../README.md", import.meta.url);
const PICTURE = new URL("../../docs/growth.svg", import.meta.url);
const BEGIN = "<!-- made by cargo xtask bench -->\n";
const END = "<!-- end -->\n";
/** In the README's table; all of them, with ranges, are in the files of the run. */
const NAMES = ["stock", "ours", "optIn"];

/** Puts the rows that have targets into the README, and the picture beside it. */
export function publish(found, rows, picture) {
  const readme = readFileSync(README, "utf8");
  const [before, rest] = cut(readme, BEGIN);
  const [, after] = cut(rest, END);
  const table = tableOf(
    rows.filter(({ judgements }) => judgements.length > 0),
    { ranges: false, names: NAMES },
  );
  writeFileSync(README, `${before}${BEGIN}${preamble(found)}\n\n${table}\n${END}${after}`);
  writeFileSync(PICTURE, picture);
  console.log(`Published: ${[README, PICTURE].map((url) => fileURLToPath(url)).join(", ")}`);
}

function cut(whole, mark) {
  const index = whole.indexOf(mark);
  if (index === -1) throw new Error(`README.md has no line ${mark}`);
  return [whole.slice(0, index), whole.slice(index + mark.length)];
}
