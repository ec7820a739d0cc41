// What is remembered of a list or map that grows. Nothing of the smaller value is copied.

import { AIMessage } from "@langchain/core/messages";
import { samePrefix } from "../../src/changes/align.js";
import { write } from "../../src/changes/diff.js";
import { reviveCached } from "../../src/changes/revive-cached.js";
import { encodeParts } from "../../src/changes/texts.js";
import { partsOf, TrackedParts } from "../../src/changes/value.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";

const serde = new JsonPlusSerde();
const decoder = new TextDecoder();

async function tracked(value: unknown, before?: TrackedParts, immutable = false) {
  const known = before && { tracked: before, editable: true };
  const written = await write(serde, value, known, immutable);
  if (!(written.tracked instanceof TrackedParts)) throw new Error("no list or map");
  return written.tracked;
}

/** Expects all parts of a value to be proven, and its text to be the remembered one. */
function expectToBe(remembered: TrackedParts, value: object) {
  const parts = partsOf(remembered.shape, value);
  expect(samePrefix(remembered, parts)).toBe(parts.items.length);
  const text = decoder.decode(serde.dumps(value)[1]);
  expect(remembered.text).toBe(text);
  expect(decoder.decode(remembered.payload.bytes)).toBe(text);
}

const messages = (count: number) =>
  Array.from({ length: count }, (_, index) => new AIMessage(`message ${index}`.repeat(40)));

describe.each([false, true])("with immutable parts: %s", (immutable) => {
  test.each([0, 1, 40])("a_list_of_%i_that_grows_in_two_ways_keeps_them_apart", async (count) => {
    const list = messages(count);
    const base = await tracked(list, undefined, immutable);
    const [one, other] = [
      [...list, "one"],
      [...list, "other", "more"],
    ];
    const first = await tracked(one, base, immutable);
    const second = await tracked(other, base, immutable);
    const third = await tracked([...one, "third"], first, immutable);
    expectToBe(base, list);
    expectToBe(first, one);
    expectToBe(second, other);
    expectToBe(third, [...one, "third"]);
    expectToBe(await tracked(list, base, immutable), list);
    expectToBe(await tracked(list.slice(1), base, immutable), list.slice(1));
    expectToBe(await tracked([list.at(0), ...one], first, immutable), [list.at(0), ...one]);
  });

  test("a_map_that_grows_in_two_ways_keeps_them_apart", async () => {
    const map = { a: { text: "x" }, b: [1] };
    const base = await tracked(map, undefined, immutable);
    const first = await tracked({ ...map, c: 1 }, base, immutable);
    const second = await tracked({ ...map, d: 2, e: "x" }, base, immutable);
    expectToBe(base, map);
    expectToBe(first, { ...map, c: 1 });
    expectToBe(second, { ...map, d: 2, e: "x" });
  });

  test("what_is_revived_again_grows_apart_from_what_it_was", async () => {
    const list = messages(3);
    const base = await tracked(list, undefined, immutable);
    const grown = await tracked([...list, "one"], base, immutable);
    const { value, tracked: again } = await reviveCached(serde, base, immutable);
    if (!(again instanceof TrackedParts) || !Array.isArray(value)) throw new Error("no list");
    const other = await tracked([...value, "other"], again, immutable);
    expectToBe(grown, [...list, "one"]);
    expectToBe(other, [...value, "other"]);
    expectToBe(again, value);
  });
});

/** A list whose last part, when it is first read, puts another list that has grown. */
async function putWhileLookedAt(last: object) {
  const list = messages(3);
  const base = await tracked(list);
  const other = [...list, { other: 1, more: [2] }, "other"];
  let inner: Promise<TrackedParts> | undefined;
  const get = () => {
    inner ??= tracked(other, base);
    return "x";
  };
  Object.defineProperty(last, "looks", { get, enumerable: true });
  const one = [...list, Object.assign(last, { end: 1 })];
  const outer = await tracked(one, base);
  if (inner === undefined) throw new Error("nobody looked");
  return { base, list, outer, one, inner: await inner, other };
}

test("a_list_that_grows_while_it_is_looked_at_is_kept_apart", async () => {
  const { base, list, outer, one, inner, other } = await putWhileLookedAt({ begin: 0 });
  expectToBe(base, list);
  expectToBe(outer, one);
  expectToBe(inner, other);
  const changed = [...other.slice(0, 3), { other: 1, more: [3] }, "other"];
  expect(samePrefix(inner, partsOf("list", changed))).toBe(3);
});

test("a_part_that_is_left_out_leaves_no_proof", async () => {
  const map = { a: { text: "x" }, b: [1] };
  const base = await tracked(map);
  const grown = await tracked({ ...map, run: () => 1, c: { deep: [1] } }, base);
  expectToBe(grown, { ...map, c: { deep: [1] } });
  expectToBe(await tracked({ ...map, d: 2 }, base), { ...map, d: 2 });
});

test("parts_that_were_edited_are_proven_where_they_are", async () => {
  const list = [...messages(4), { a: [1, 2 ** 40, -0.5] }, "text", 7, null];
  const base = await tracked(list);
  const edited = [list[1], "fresh", ...list.slice(3, 5), { fresh: [1] }, ...list.slice(5)];
  const remembered = await tracked(edited, base);
  expectToBe(remembered, edited);
  expectToBe(base, list);
  Object.assign(list[4] ?? {}, { a: [1, 2 ** 40, 0.5] });
  expect(samePrefix(remembered, partsOf("list", edited))).toBe(3);
  expectToBe(await tracked(edited, remembered), edited);
});

test.each([
  [[]],
  [["a"]],
  [["x".repeat(600), "y".repeat(400)]],
  [["x".repeat(600), "\u00e9".repeat(400)]],
  [["\u00e9".repeat(600), "y".repeat(400)]],
  [["x".repeat(600), `${"y".repeat(600)}\u00e9`]],
  [["x".repeat(600), "\u{1f600}".repeat(300), ""]],
  [["", "x".repeat(2000), ""]],
])("parts_are_encoded_as_their_text_is", (texts) => {
  const whole = `[${texts.join(",")}]`;
  expect(encodeParts("[", texts, "]")).toEqual(new TextEncoder().encode(whole));
  expect(decoder.decode(encodeParts("", texts, ""))).toBe(texts.join(","));
});
