// Compares measurements with targets.

import { summaryOf } from "./sampling.mjs";
import { TITLES } from "./savers.mjs";

/**
 * Judges one saver's values in a row. A target names the saver (`of`), and one of: `timesLess`,
 * `timesMore` or `timesAtMost` (compared with the stock saver), or `atMost` in the row's unit.
 * Undefined if the row does not have these values.
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
  const inverse = target.timesLess !== undefined;
  const ratio = (left, right) => (inverse ? left / right : right / left);
  // The ratio is that of the medians. The least and the greatest are those of single rounds.
  const perRound = summaryOf(own.map((value, round) => ratio(stock[round], value)));
  const ofMedians = ratio(summaryOf(stock).median, summaryOf(own).median);
  // The least disturbed rounds: the shortest times, or the highest rates.
  const best = target.timesMore === undefined ? "min" : "max";
  const ofBest = ratio(summaryOf(stock)[best], summaryOf(own)[best]);
  const wanted = target.timesLess ?? target.timesMore ?? target.timesAtMost;
  const measured = { kind: "ratio", ...perRound, median: ofMedians, ofBest };
  return verdict(target, measured, wanted, target.timesAtMost === undefined);
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
  if (target.timesAtMost !== undefined) return `at most ${target.timesAtMost}x${whose}`;
  const wanted = target.timesLess ?? target.timesMore;
  return wanted === 1 ? `no worse${whose}` : `at least ${wanted}x${whose}`;
}
