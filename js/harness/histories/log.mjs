// Turns the log of callers into histories of threads.

import assert from "node:assert/strict";

import { withTexts } from "../support/plan.mjs";
import { unexplained } from "./checker.mjs";

/** The calls of a log, in the order they were made. */
export function callsOf(text, plans) {
  const planned = new Map();
  for (const plan of plans) {
    for (const { calls } of plan.turns) {
      for (const call of calls) planned.set(`${plan.name} ${call.n}`, withTexts(plan, call));
    }
  }
  const calls = new Map();
  // A last line without a line break was cut off.
  const lines = text.split("\n").slice(0, -1);
  lines.forEach((line, place) => {
    const [, kind, name, n, rest] = /^(\S+) (\S+) (\S+) (.*)$/.exec(line) ?? [];
    const key = `${name} ${n}`;
    if (kind === "B") {
      // A host that does not order concurrent calls writes `-`.
      const own = rest === "-" ? undefined : `${name}/${rest}`;
      calls.set(key, { key, call: planned.get(key), begin: place, line: own });
    } else {
      Object.assign(calls.get(key), { ended: place, ...JSON.parse(rest) });
    }
  });
  return [...calls.values()];
}

/** The calls for the checker, without those that failed and stored nothing. */
function decided(calls) {
  return calls.flatMap(({ ended, failed, ...call }) => {
    if (failed === undefined) return [{ ...call, end: ended }];
    return failed.stored === "unknown" ? [call] : [];
  });
}

/** Fails the test if something is wrong with a history. */
export function assertExplained(calls, name) {
  const faults = faultsIn(calls);
  assert.ok(
    faults.length === 0,
    `${name}: ${faults.length} faults\n${faults.slice(0, 3).join("\n")}`,
  );
}

/** What is wrong with a history, in words; empty if every read is explained. */
export function faultsIn(calls) {
  const faults = [];
  for (const { key, call, failed } of calls) {
    if (failed === undefined || failed.stored !== undefined) continue;
    faults.push(`${key} (${call.op} of ${call.thread}): ${JSON.stringify(failed)}`);
  }
  for (const [thread, own] of byThread(calls)) {
    const found = unexplained(decided(own));
    if (found !== undefined) faults.push(describe(thread, found));
  }
  return faults;
}

function byThread(calls) {
  const threads = new Map();
  for (const call of calls) {
    const { thread } = call.call;
    threads.set(thread, [...(threads.get(thread) ?? []), call]);
  }
  return threads;
}

function describe(thread, { decided, blocked, calls }) {
  const verdict = decided ? "no order of the calls explains" : "no order was found in time for";
  const reads = blocked.map(({ key, call, read, expected }) => {
    return `  ${key} ${call.op} ${call.id ?? ""}\n    gave     ${read}\n    expected ${expected}`;
  });
  const history = calls.map(({ key, call, begin, end, line }) => {
    const { op, id = "", parent, task = "" } = call;
    const after = parent === undefined ? "" : `after ${parent}`;
    return `  ${begin}..${end ?? "?"} ${line ?? "-"} ${key}: ${op} ${id} ${after}${task}`;
  });
  return [`${thread}: ${verdict} these reads:`, ...reads, "of this history:", ...history].join(
    "\n",
  );
}
