// The threads that the processes share, and what prunes keep of each.

/** When the checkpoints of an idle thread were put. */
const OLD = "2020-01-01T00:00:00.000Z";

/** The delta channel. */
export const CHANNEL = "log";

/**
 * A thread for each rule. `last`: prunes keep this many checkpoints of each namespace. `newer`:
 * they keep those from a time on. `runs`: they remove runs. `all`: they remove everything. With
 * `ts` every checkpoint has this time, and the thread is idle. With `isDelta` each process has a
 * namespace of its own, as a fork from what is being removed may lose its history.
 */
export const GROUPS = [
  { thread: "latest", rule: { last: 1 } },
  { thread: "last", rule: { last: 3 } },
  { thread: "idle", rule: { last: 1 }, ts: OLD },
  { thread: "newer", rule: { newer: true } },
  { thread: "runs", rule: { runs: true } },
  { thread: "gone", rule: { all: true } },
  { thread: "delta", rule: { last: 1 }, isDelta: true },
];

/** The run at a time, in milliseconds. */
export function runAt(time) {
  return `run-${Math.floor(time / 500)}`;
}
