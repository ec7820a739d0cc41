// States of several sizes at `synchronous` FULL, which is the package's default; the stock saver is
// at FULL, too.

import { SIZES } from "../data.mjs";
import { measure } from "./states.mjs";

const NAMES = ["stock", "ours"];
const SUPERSTEP = { "3.8 KB": 0.9, "35 KB": 0.7, "235 KB": 0.4, "2 MB": 0.1 };
/** The stock saver's time times this, at most, by size. */
const TARGETS = {
  append: SUPERSTEP,
  inTurn: SUPERSTEP,
  whole: { "3.8 KB": 1.1, "35 KB": 1, "235 KB": 0.9, "2 MB": 0.7 },
};

export async function run(given) {
  const pathOf = (name) => given.pathOf(`full-${name}`);
  const settings = { ...given, pathOf, names: NAMES, synchronous: "full" };
  const rows = [];
  for (const size of Object.keys(SIZES)) {
    // A read takes the same at every level.
    const measured = (await measure(size, settings, TARGETS)).slice(0, 3);
    rows.push(...measured.map((row) => ({ ...row, workload: "full", what: `FULL: ${row.what}` })));
  }
  return [0, 1, 2].flatMap((operation) => rows.filter((_, index) => index % 3 === operation));
}
