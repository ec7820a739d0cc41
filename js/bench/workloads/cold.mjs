// Fresh processes.

import { growChat } from "../chat.mjs";
import { runChild } from "../children.mjs";
import { inTurns, pluck } from "../sampling.mjs";
import { close, open } from "../savers.mjs";

const NAMES = ["stock", "ours"];
const STEPS = 200;

export async function run({ pathOf, synchronous, quick }) {
  const rounds = quick ? 3 : 15;
  const warmUps = quick ? 0 : 1;
  for (const name of NAMES) {
    const saver = await open(name, pathOf(`cold-${name}`), synchronous);
    await growChat(saver, "chat", STEPS);
    close(saver, pathOf(`cold-${name}`));
  }
  const resumed = await inTurns(NAMES, { rounds, warmUps }, (name) => {
    const messages = 2 * STEPS;
    return runChild("cold", { name, path: pathOf(`cold-${name}`), threadId: "chat", messages });
  });
  const first = await inTurns(NAMES, { rounds, warmUps }, (name, round) => {
    return runChild("cold", { name, path: pathOf(`first-${name}-${round}`), threadId: "none" });
  });
  const row = (what, size, values, targets) => {
    return { workload: "cold", what, size, unit: "ms", values, targets };
  };
  return [
    row("fresh process: open + `getTuple`", `${STEPS} steps`, pluck(resumed, "used"), [
      { of: "ours", timesLess: 5 },
    ]),
    row("fresh process: import + first use", "empty store", pluck(first, "all"), [
      { of: "ours", timesAtMost: 1.2 },
    ]),
  ];
}
