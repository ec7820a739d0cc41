// A chat that grows: what each saver stores, writes and waits for.

import { bytesWritten, growChat } from "../chat.mjs";
import { exponentOf, inTurns, median, pluck } from "../sampling.mjs";
import { ALL, close, open } from "../savers.mjs";

/** Rounds by number of steps. A round of 1,000 takes the stock saver half a minute. */
const ROUNDS = { 50: 5, 200: 3, 1000: 3 };
const QUICK_ROUNDS = { 50: 2, 200: 1, 1000: 1 };
const LONGEST = 1_000;

export async function run({ pathOf, synchronous, quick }) {
  const found = {};
  for (const name of ALL) await growOnce(name, pathOf(`growth-warm-up-${name}`), synchronous, 50);
  for (const [steps, rounds] of Object.entries(quick ? QUICK_ROUNDS : ROUNDS)) {
    // A quick run leaves out the savers whose longest chat takes quadratic time.
    const names = quick && Number(steps) === LONGEST ? ["ours", "optIn"] : ALL;
    found[steps] = await inTurns(names, { rounds }, (name, round) => {
      const path = pathOf(`growth-${name}-${steps}-${round}`);
      return growOnce(name, path, synchronous, Number(steps));
    });
  }
  const rows = Object.keys(found).flatMap((steps) => rowsOf(Number(steps), found[steps]));
  return [...rows, exponents(found), ...curves(found)];
}

/** Grows a chat in a new file. */
export async function growOnce(name, path, synchronous, steps) {
  const saver = await open(name, path, synchronous);
  const before = bytesWritten();
  const { times } = await growChat(saver, "chat", steps);
  const bytes = close(saver, path);
  const written = (bytesWritten() - before) / steps;
  const tenth = steps / 10;
  const [first, last] = [median(times.slice(0, tenth)), median(times.slice(-tenth))];
  const total = times.reduce((sum, time) => sum + time, 0);
  return { bytes, written, last, slowdown: last / first, total };
}

function rowsOf(steps, found) {
  const ours = (limits) => (steps === LONGEST ? limits : []);
  const size = `${steps} steps`;
  const { memory, ...files } = pluck(found, "written");
  const row = (what, unit, values, targets) => {
    return { workload: "growth", what, size, unit, values, targets };
  };
  return [
    row("growing chat: bytes stored", "bytes", pluck(found, "bytes"), [
      ...ours([{ of: "ours", atMost: 8e6 }]),
    ]),
    row("growing chat: bytes written a step", "bytes", files, [
      ...ours([{ of: "ours", atMost: 40e3 }]),
    ]),
    row("growing chat: a step at the end", "ms", pluck(found, "last"), []),
    row("growing chat: last tenth over first", "times", pluck(found, "slowdown"), [
      ...ours([
        { of: "ours", atMost: 5 },
        { of: "optIn", atMost: 1.5 },
      ]),
    ]),
    row("growing chat: all steps", "ms", pluck(found, "total"), [
      ...ours([{ of: "ours", timesLess: 30 }]),
    ]),
  ];
}

/** How the bytes stored grow with the steps. */
function exponents(found) {
  const values = {};
  for (const name of ALL) {
    const points = Object.entries(found).flatMap(([steps, byName]) => {
      const measured = byName[name];
      return measured ? [[Number(steps), median(measured.map(({ bytes }) => bytes))]] : [];
    });
    values[name] = [exponentOf(points)];
  }
  const size = Object.keys(found).join(", ");
  const what = "growing chat: exponent of the bytes stored";
  const targets = [{ of: "ours", atMost: 1.05 }];
  return { workload: "growth", what, size, unit: "number", values, targets };
}

/** The curves of the picture. They are not rows of the table. */
function curves(found) {
  return ["bytes", "last"].map((property) => {
    const series = {};
    for (const [steps, byName] of Object.entries(found)) {
      for (const [name, measured] of Object.entries(byName)) {
        series[name] ??= [];
        series[name].push([Number(steps), median(measured.map((one) => one[property]))]);
      }
    }
    return { workload: "growth", curve: property, series };
  });
}
