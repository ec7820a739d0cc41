// Many threads at once in one process: steps a second, and syncs a step.

import { readFileSync } from "node:fs";

import { runChild } from "../children.mjs";
import { inTurns } from "../sampling.mjs";
import { close, open } from "../savers.mjs";
import { growThreads } from "../threads.mjs";

const NAMES = ["stock", "memory", "ours"];
export const TASKS = 16;
const TARGETS = { normal: 2, full: 3 };
const SYNC_TARGETS = { [TASKS]: 0.3, 1: 1.1 };

export async function run(settings) {
  const rows = [];
  for (const synchronous of ["normal", "full"]) rows.push(await rates(synchronous, settings));
  for (const tasks of [TASKS, 1]) rows.push(await syncs(tasks, settings));
  return rows;
}

/** The row of steps per second at a level of `synchronous`. */
export async function rates(synchronous, { pathOf, quick, names = NAMES }) {
  const threads = quick ? 100 : 1_000;
  const values = await inTurns(
    names,
    { rounds: quick ? 2 : 4, warmUps: 1 },
    async (name, round) => {
      const path = pathOf(`threads-${name}-${synchronous}-${round}`);
      const saver = await open(name, path, synchronous);
      const { steps, time } = await growThreads(saver, { threads, tasks: TASKS });
      close(saver, path);
      return steps / (time / 1_000);
    },
  );
  const targets = [{ of: "ours", timesMore: TARGETS[synchronous] }];
  const size = `${threads} threads x 5, ${TASKS} tasks`;
  const what = `steps a second, ${synchronous.toUpperCase()}`;
  return { workload: "threads", what, size, unit: "rate", values, targets };
}

/**
 * The row of syncs per step, counted by strace; "n/a" if strace is missing or may not trace. The
 * threads are longer here, so that opening the file and each thread's first `put` add little.
 */
async function syncs(tasks, { pathOf, quick }) {
  const work = { threads: 16, steps: quick ? 25 : 100, tasks };
  const counted = (name) => syncsOf({ name, path: pathOf(`syncs-${name}-${tasks}`), ...work });
  const values = { stock: [await counted("stock")], ours: [await counted("ours")] };
  const targets = [{ of: "ours", atMost: SYNC_TARGETS[tasks] }];
  const named = tasks === 1 ? "1 task" : `${tasks} tasks`;
  const size = `${work.threads} threads x ${work.steps}, ${named}`;
  const what = "fsyncs a step, FULL";
  return { workload: "threads", what, size, unit: "number", values, targets };
}

async function syncsOf(options) {
  const summary = `${options.path}.syncs`;
  const tracer = ["strace", "-f", "-c", "-o", summary, "-e", "trace=fsync,fdatasync"];
  try {
    const { steps } = await runChild("threads", options, tracer);
    return callsIn(readFileSync(summary, "utf8")) / steps;
  } catch {
    return Number.NaN;
  }
}

/** The number of calls in a summary of strace: its fourth column. */
function callsIn(summary) {
  const lines = summary.split("\n").filter((line) => / f(data)?sync$/.test(line.trimEnd()));
  return lines.reduce((calls, line) => calls + Number(line.trim().split(/\s+/)[3]), 0);
}
