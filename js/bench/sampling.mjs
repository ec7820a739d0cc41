// Measures in turns, and summarizes series of values.

import { performance } from "node:perf_hooks";

/** The milliseconds that `run` takes. */
export async function timed(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/**
 * Runs each name once per round. The first one changes each round, as a run finds the processor's
 * caches full of the run before. Returns the measurements by name, in the order of the rounds,
 * without those of the warm-ups.
 */
export async function inTurns(names, { rounds, warmUps = 0 }, run) {
  const found = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round += 1) {
    const first = (round + warmUps) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const measured = await run(name, round);
      if (round >= 0) found[name].push(measured);
    }
  }
  return found;
}

/** One property of the measurements, by name. */
export function pluck(found, property) {
  return Object.fromEntries(
    Object.entries(found).map(([name, list]) => [name, list.map((one) => one[property])]),
  );
}

export function median(values) {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** The value that the given share of the values does not exceed. */
export function quantile(values, share) {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The summary of a series. */
export function summaryOf(values) {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { median: median(values), min, max, count: values.length };
}

/** The exponent k of the best fit y ~ x^k, by least squares of the logarithms. */
export function exponentOf(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (index) => logs.reduce((sum, point) => sum + point[index], 0) / logs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const above = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return above / below;
}
