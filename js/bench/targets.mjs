// Compares measurements with targets.

import { summaryOf } from "./sampling.mjs";
import { TITLES } from "./savers.mjs";

/**
 * Judges one saver's values in a row. A target names the saver (`of`), and one of: `timesLess` or
 * `timesAtMost` (the stock saver's value divided by this, or times this), `timesMore` (the same of
 * rates), or `atMost` in the row's unit. Undefined if the row does not have these values.
 *
 * A ratio says how many times better the saver is than the stock saver.
 */
export function judge(row, target) {
  const { of } = target;
  const own = row.values[of];
  if (own === undefined) return undefined;
  if (target.atMost !== undefined) {
    const summary = summaryOf(own);
    const measured = summary[target.judged ?? "median"];
    return verdict(target, { kind: "value", ...summary, median: measured }, target.atMost, false);
  }
  const stock = row.values.stock;
  if (stock === undefined) return undefined;
  const isRate = target.timesMore !== undefined;
  const ratio = (other, ours) => (isRate ? ours / other : other / ours);
  // The ratio is that of the medians. The least and the greatest are those of single rounds.
  const perRound = summaryOf(own.map((value, round) => ratio(stock[round], value)));
  const ofMedians = ratio(summaryOf(stock).median, summaryOf(own).median);
  // The least disturbed rounds: the shortest times, or the highest rates.
  const best = isRate ? "max" : "min";
  const ofBest = ratio(summaryOf(stock)[best], summaryOf(own)[best]);
  const measured = { kind: "ratio", ...perRound, median: ofMedians, ofBest };
  return verdict(target, measured, wantedOf(target), true);
}

/** How many times better than the stock saver a saver has to be. */
function wantedOf({ timesLess, timesMore, timesAtMost }) {
  return timesLess ?? timesMore ?? 1 / timesAtMost;
}

function verdict(target, measured, wanted, atLeast) {
  const known = Number.isFinite(measured.median);
  const met = atLeast ? measured.median >= wanted : measured.median <= wanted;
  return { ...target, measured, met: known ? met : undefined };
}

/** A target in words, such as `at least 10x`. */
export function wordsOf(target, show) {
  const whose = target.of === "optIn" ? ` (${TITLES.optIn})` : "";
  if (target.atMost !== undefined) {
    return `${target.atMost === 0 ? "none" : `at most ${show(target.atMost)}`}${whose}`;
  }
  const wanted = wantedOf(target);
  return wanted === 1 ? `no worse${whose}` : `at least ${Number(wanted.toPrecision(3))}x${whose}`;
}
