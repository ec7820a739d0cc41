// Tests the checker: it refuses handmade histories with one fault each, and accepts the same
// histories without the fault.

import assert from "node:assert/strict";
import { test } from "node:test";

import { unexplained } from "./checker.mjs";
import { effectOf, Thread } from "./model.mjs";

const put = (id, parent) => ({
  op: "put",
  thread: "t",
  id,
  ...(parent === undefined ? {} : { parent }),
  metadata: "{}",
  values: { messages: `["${id}"]` },
});
const writes = (id, task, value, channel = "messages") => ({
  op: "writes",
  thread: "t",
  id,
  task,
  writes: [[channel, JSON.stringify(value)]],
});
const remove = { op: "delete", thread: "t" };
const list = { op: "list", thread: "t" };
const get = (id) => ({ op: "get", thread: "t", id });

/** What a read gives after the given writes. */
function after(read, ...done) {
  const thread = new Thread();
  for (const call of done) thread.apply(effectOf(call));
  return thread.read(effectOf(read));
}

/** Calls one after the other, unless they have times of their own. */
function history(...calls) {
  return calls.map((call, at) => ({ begin: 2 * at, end: 2 * at + 1, ...call }));
}

const explained = (...calls) => unexplained(history(...calls)) === undefined;

test("a_write_that_is_lost_is_found", () => {
  const [first, second] = [put("1"), writes("1", "task", "said")];
  const seen = (...done) => ({ call: list, read: after(list, ...done) });
  assert.ok(explained({ call: first }, { call: second }, seen(first, second)));
  assert.ok(!explained({ call: first }, { call: second }, seen(first)));
  assert.ok(!explained({ call: first }, { call: second }, { call: list, read: "" }));
});

test("a_read_that_is_stale_is_found", () => {
  const [first, second] = [put("1"), put("2", "1")];
  const latest = (...done) => ({ call: get(), read: after(get(), ...done) });
  assert.ok(explained({ call: first }, { call: second }, latest(first, second)));
  assert.ok(!explained({ call: first }, { call: second }, latest(first)));
  // The older state may be read before another read gives the newer one, but not after it.
  const [newer, older] = [latest(first, second), latest(first)];
  const under = { call: second, begin: 2, end: 9 };
  assert.ok(explained({ call: first }, under, { ...older, begin: 3, end: 4 }, newer));
  assert.ok(
    !explained(
      { call: first },
      under,
      { ...newer, begin: 3, end: 4 },
      { ...older, begin: 5, end: 6 },
    ),
  );
});

test("a_thread_that_comes_back_is_found", () => {
  const first = put("1");
  const seen = { call: get("1"), read: after(get("1"), first) };
  const nothing = { call: get("1"), read: "nothing" };
  assert.ok(explained({ call: first }, seen, { call: remove }, nothing));
  assert.ok(!explained({ call: first }, { call: remove }, seen));
  assert.ok(!explained({ call: first }, { call: remove }, nothing, seen));
});

test("a_checkpoint_with_less_in_it_is_found", () => {
  const whole = put("1");
  const part = { ...whole, values: {} };
  assert.ok(!explained({ call: whole }, { call: get("1"), read: after(get("1"), part) }));
});

test("a_value_of_another_branch_is_found", () => {
  const calls = [{ call: put("1") }, { call: put("2", "1") }];
  const wrong = put("2", "0");
  assert.ok(!explained(...calls, { call: get("2"), read: after(get("2"), wrong) }));
});

test("calls_under_way_at_once_may_take_effect_in_any_order", () => {
  const [one, other] = [writes("1", "task", "one"), writes("1", "task", "other")];
  for (const [first, second] of [
    [one, other],
    [other, one],
  ]) {
    const read = { call: list, read: after(list, put("1"), first, second), begin: 20, end: 21 };
    const both = [
      { call: one, begin: 2, end: 8 },
      { call: other, begin: 3, end: 9 },
    ];
    assert.ok(explained({ call: put("1") }, ...both, read));
  }
});

test("the_first_write_at_a_place_stays_and_the_last_special_one", () => {
  const seen = (...done) => ({ call: list, read: after(list, put("1"), ...done) });
  for (const [channel, last] of [
    ["messages", false],
    ["__interrupt__", true],
  ]) {
    const two = ["one", "other"].map((value) => writes("1", "task", value, channel));
    const made = [put("1"), ...two].map((call) => ({ call }));
    assert.equal(explained(...made, seen(two[0])), !last);
    assert.equal(explained(...made, seen(two[1])), last);
  }
});

test("calls_of_one_line_take_effect_in_their_order", () => {
  const made = { call: put("1"), begin: 0, end: 5 };
  const deleted = { call: remove, begin: 1, end: 4 };
  const seen = { call: list, read: after(list, put("1")), begin: 6, end: 7 };
  const inLine = (call) => ({ ...call, line: "p0/1" });
  assert.ok(explained(made, deleted, seen));
  assert.ok(!explained(inLine(made), inLine(deleted), seen));
  const early = { call: list, read: "", begin: 1, end: 2 };
  assert.ok(explained(made, early));
  assert.ok(!explained(inLine(made), inLine(early)));
});

test("a_call_of_a_process_that_died_may_have_taken_effect_or_not_but_not_both", () => {
  const cut = { call: put("1"), begin: 0, end: undefined };
  const nothing = { call: list, read: "", begin: 2, end: 3 };
  const seen = { call: list, read: after(list, put("1")), begin: 4, end: 5 };
  assert.ok(explained(cut, nothing));
  assert.ok(explained(cut, seen));
  assert.ok(explained(cut, nothing, seen));
  assert.ok(!explained(cut, seen, { ...nothing, begin: 6, end: 7 }));
});

test("a_value_that_nobody_put_is_found", () => {
  assert.ok(!explained({ call: put("1") }, { call: list, read: after(list, put("2")) }));
});
