// What is remembered of a list or map that grows, which copies nothing of what it was.

import { AIMessage } from "@langchain/core/messages";

import { JsonPlusSerde } from "../src/serde/serializer.js";
import { reviveAgain } from "../src/track/again.js";
import { write } from "../src/track/edit.js";
import { encodeParts } from "../src/track/texts.js";
import { TrackedParts } from "../src/track/value.js";

const serde = new JsonPlusSerde();
const decoder = new TextDecoder();

async function tracked(value: unknown, before?: TrackedParts, immutable = false) {
  const known = before && { tracked: before, editable: true };
  const written = await write(serde, value, known, immutable);
  if (!(written.tracked instanceof TrackedParts)) throw new Error("no list or map");
  return written.tracked;
}

function expectToBe(remembered: TrackedParts, value: unknown) {
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
    const { value, tracked: again } = await reviveAgain(serde, base, immutable);
    if (!(again instanceof TrackedParts) || !Array.isArray(value)) throw new Error("no list");
    const other = await tracked([...value, "other"], again, immutable);
    expectToBe(grown, [...list, "one"]);
    expectToBe(other, [...list, "other"]);
    expectToBe(again, list);
  });
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
