// Several processes that open one new file at the same time and write to it.

import { Child } from "../children.mjs";
import { inTurns, pluck, quantile } from "../sampling.mjs";

const NAMES = ["stock", "ours"];
const PROCESSES = 4;

export async function run({ pathOf, quick }) {
  const threads = quick ? 20 : 40;
  const found = await inTurns(NAMES, { rounds: quick ? 2 : 20 }, (name, round) => {
    return once({ name, path: pathOf(`processes-${name}-${round}`), threads });
  });
  const size = `${PROCESSES} processes x ${threads * 5} steps, FULL`;
  const row = (what, property, unit, targets) => {
    const values = pluck(found, property);
    return { workload: "processes", what: `one file: ${what}`, size, unit, values, targets };
  };
  return [
    row("steps a second", "rate", "rate", [{ of: "ours", timesMore: 2 }]),
    row("p50 of a step", "p50", "ms", []),
    row("p99 of a step", "p99", "ms", [{ of: "ours", timesLess: 1 }]),
    row("longest step", "longest", "ms", []),
    row("errors a run", "errors", "number", [{ of: "ours", atMost: 0, judged: "max" }]),
    row("acknowledged and lost", "lost", "number", [{ of: "ours", atMost: 0, judged: "max" }]),
  ];
}

async function once(options) {
  const children = Array.from({ length: PROCESSES }, (_, number) => {
    return new Child("writer", { ...options, number });
  });
  await Promise.all(children.map((child) => child.message()));
  for (const child of children) child.go();
  const found = await Promise.all(children.map((child) => child.message()));
  await Promise.all(children.map((child) => child.ended()));
  const times = found.flatMap(({ times }) => times);
  const began = Math.min(...found.map(({ began }) => began));
  const ended = Math.max(...found.map(({ ended }) => ended));
  return {
    rate: times.length / ((ended - began) / 1_000),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    longest: Math.max(...times),
    errors: found.reduce((count, { errors }) => count + errors.length, 0),
    lost: found.reduce((count, { lost }) => count + lost, 0),
  };
}
