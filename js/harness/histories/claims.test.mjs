// The checker of prunes and copies refuses handmade logs that break a claim.

import assert from "node:assert/strict";
import { test } from "node:test";

import { callsOf, faultsIn } from "./lifecycle/claims.mjs";

const tuple = (id, more) => ({ ns: "", id, state: `state ${id}`, writes: [], ...more });

/** A log of calls, each made and ended before the next one. */
function log(...calls) {
  const lines = calls.flatMap(([call, result], n) => {
    const begin = `B p ${n} ${JSON.stringify(call)}`;
    return result === undefined ? [begin] : [begin, `E p ${n} ${JSON.stringify(result)}`];
  });
  return callsOf(`${lines.join("\n")}\n`);
}

const put = (id, more) => {
  const call = { op: "put", thread: "latest", ns: "", id, state: `state ${id}`, ...more };
  return [call, {}];
};
const prune = [{ op: "prune", thread: "latest", dryRun: false }, { read: {} }];
const list = (...tuples) => [{ op: "list", thread: "latest" }, { read: tuples }];
const copy = (latest, checkpoints, ...tuples) => [
  [{ op: "copy", thread: "latest", latest }, { read: { checkpoints } }],
  [{ op: "listCopy", thread: "latest" }, { read: tuples }],
];

const refused = (what, ...calls) => {
  const faults = faultsIn(log(...calls));
  assert.ok(
    faults.some((fault) => fault.includes(what)),
    `${what}: ${JSON.stringify(faults)}`,
  );
};
const accepted = (...calls) => assert.deepEqual(faultsIn(log(...calls)), []);

test("a_prune_that_keeps_the_newest_checkpoint_is_accepted", () => {
  accepted(put("1"), put("2"), list(tuple("2"), tuple("1")), prune, list(tuple("2")));
  accepted(put("1"), put("2"), [prune[0]], list(tuple("2"), tuple("1")), list(tuple("2")));
});

test("a_checkpoint_that_no_rule_removes_must_be_shown", () => {
  refused("lacks |2", put("1"), put("2"), prune, list(tuple("1")));
  refused("lacks |1", put("1"), put("2"), list(tuple("2")), prune);
});

test("a_checkpoint_that_a_prune_removed_must_not_be_shown", () => {
  refused("was removed", put("1"), put("2"), prune, list(tuple("2"), tuple("1")));
  const counts = [{ op: "stats", thread: "latest" }, { read: { checkpoints: 2 } }];
  refused("counts 2", put("1"), put("2"), prune, counts);
});

test("another_state_and_a_write_that_is_lost_are_found", () => {
  refused("another state", put("1"), list(tuple("1", { state: "other" })));
  const of = { thread: "latest", ns: "", id: "1" };
  const writes = [{ op: "writes", ...of, task: "t", writes: [[0, "messages", "v"]] }, {}];
  refused("lacks the write", put("1"), writes, list(tuple("1")));
  accepted(put("1"), writes, list(tuple("1", { writes: [["t", "messages", "v"]] })));
});

test("a_copy_that_is_no_state_of_its_source_is_found", () => {
  accepted(put("1"), put("2"), ...copy(false, 2, tuple("2"), tuple("1")));
  refused("lacks", put("1"), put("2"), ...copy(false, 1, tuple("2")));
  refused("counts other", put("1"), ...copy(false, 2, tuple("1")));
  refused("more than the latest", put("1"), put("2"), ...copy(true, 2, tuple("2"), tuple("1")));
});

test("an_error_of_a_read_is_a_fault", () => {
  const failed = { failed: { code: "missing-chunk" } };
  refused("missing-chunk", put("1"), [{ op: "list", thread: "latest" }, failed]);
  accepted(put("1"), [prune[0], { failed: { code: "thread-in-use" } }]);
});
