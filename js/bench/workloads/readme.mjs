// The README's rows: this package with its defaults, and the stock saver at the same level of
// durability.

import { inTurns, pluck } from "../sampling.mjs";
import { growOnce } from "./growth.mjs";
import { measure } from "./states.mjs";
import { rates, TASKS } from "./threads.mjs";

const NAMES = ["stock", "ours"];
const SYNCHRONOUS = "full";
const STEPS = 200;

export async function run(given) {
  const pathOf = (name) => given.pathOf(`readme-${name}`);
  const settings = { ...given, pathOf, names: NAMES, synchronous: SYNCHRONOUS };
  const [smallStep, , smallFirst] = await measure("3.8 KB", settings);
  const [, , , read] = await measure("35 KB", settings);
  const [largeStep] = await measure("235 KB", settings);
  const row = (what, { unit, values }) => ({
    workload: "readme",
    what,
    size: "FULL",
    unit,
    values,
    targets: [],
  });
  return [
    row(
      "superstep of two messages (`putWrites` and `put` in one tick), state of 3.8 KB",
      smallStep,
    ),
    row("the same, state of 235 KB", largeStep),
    row("first `put` of a thread, state of 3.8 KB", smallFirst),
    row("`getTuple` in the process that wrote, state of 35 KB", read),
    row(`supersteps a second, ${TASKS} threads at once`, await rates(SYNCHRONOUS, settings)),
    row(`file after a chat of ${STEPS} supersteps`, await chat(settings)),
  ];
}

async function chat({ pathOf, quick }) {
  const found = await inTurns(NAMES, { rounds: quick ? 1 : 3 }, (name, round) => {
    return growOnce(name, pathOf(`chat-${name}-${round}`), SYNCHRONOUS, STEPS);
  });
  return { unit: "bytes", values: pluck(found, "bytes") };
}
