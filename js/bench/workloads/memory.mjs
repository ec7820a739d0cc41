// The memory of a process after a chat has grown.

import { runChild } from "../children.mjs";
import { inTurns, median, pluck } from "../sampling.mjs";

const STEPS = 1_000;

export async function run({ pathOf, quick }) {
  const once = (name, round) => {
    return runChild("memory", { name, path: pathOf(`memory-${name}-${round}`), steps: STEPS });
  };
  const found = await inTurns(["none", "ours", "optIn"], { rounds: quick ? 1 : 3 }, once);
  // These take half a minute each, and their results are clear after one round.
  if (!quick) Object.assign(found, await inTurns(["stock", "memory"], { rounds: 1 }, once));
  const row = (what, property, targets) => {
    const { none, ...savers } = pluck(found, property);
    const without = median(none);
    const values = Object.fromEntries(
      Object.entries(savers).map(([name, sizes]) => [name, sizes.map((size) => size - without)]),
    );
    const size = `${STEPS} steps`;
    return { workload: "memory", what, size, unit: "bytes", values, targets };
  };
  const above = "over the process without a saver";
  return [
    row(`memory ${above}`, "rss", [{ of: "ours", atMost: 64e6 }]),
    row(`memory ${above}, garbage collected`, "collected", []),
  ];
}
