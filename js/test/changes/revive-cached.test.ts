// Remembered values are revived just as their texts would be read.

import { AIMessage, HumanMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { samePrefix } from "../../src/changes/align.js";
import { write } from "../../src/changes/diff.js";
import { fingerprintOf } from "../../src/changes/fingerprints/one.js";
import { reviveCached } from "../../src/changes/revive-cached.js";
import {
  type Revived,
  revive,
  type Tracked,
  TrackedParts,
  trackNew,
} from "../../src/changes/value.js";
import { JsonPlusSerde } from "../../src/entries/index.js";
import type { NewValue } from "../../src/planner/contract.js";
import { remake } from "../../src/serde/remake.js";
import { anyKeptValue } from "../serde/arbitraries.js";
import { expectAlike } from "../support/graphs.js";
import { messages, toolChunk } from "../support/messages.js";
import { provableValue, trackedValue } from "./arbitraries.js";

const serde = new JsonPlusSerde({ onWarning: () => {} });
const encoder = new TextEncoder();

const part = fc.oneof(
  provableValue,
  trackedValue,
  anyKeptValue,
  fc.constantFrom(...messages.map(([, message]) => message), toolChunk),
);
const whole = fc.oneof(
  fc.array(part, { maxLength: 4 }),
  fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("1", "__proto__", "\u00fc", "b:")), part, {
    maxKeys: 4,
  }),
);

/** Reads a tracked value again, as from a store. */
function readAnew(tracked: TrackedParts): Promise<Revived> {
  const lengths = Uint32Array.from(tracked.texts.map((text) => encoder.encode(text).length));
  return revive(serde, tracked.payload, lengths, false);
}

async function expectRevivedAlike(tracked: Tracked, immutable: boolean): Promise<void> {
  let current = tracked;
  const made: unknown[] = [];
  for (let round = 0; round < 3; round += 1) {
    const again = await reviveCached(serde, current, immutable);
    const { kind, bytes } = tracked.payload;
    expectAlike(again.value, serde.loads(kind, bytes));
    for (const earlier of made) expectAlike(again.value, earlier);
    expect(again.tracked.payload).toEqual(tracked.payload);
    made.push(again.value);
    current = again.tracked;
  }
}

describe("a_value_is_revived_as_its_text_is_read", () => {
  test.each([...messages, ["a ToolMessageChunk", toolChunk] as const])("with_%s", (_, message) => {
    for (const value of [message, { nested: [message] }]) {
      const recorded = fingerprintOf(value);
      if (recorded?.text === undefined) throw new Error("the message was not written in one look");
      expectAlike(remake(recorded.fingerprint.slots, 0), serde.loads("json", recorded.text));
    }
  });

  test("when_it_was_written", async () => {
    await fc.assert(
      fc.asyncProperty(whole, fc.boolean(), async (value, immutable) => {
        await expectRevivedAlike(await trackNew(serde, value, immutable), immutable);
      }),
      { numRuns: 200 },
    );
  });

  test("when_it_was_read", async () => {
    let parts = 0;
    await fc.assert(
      fc.asyncProperty(whole, async (value) => {
        const written = await trackNew(serde, value, false);
        if (!(written instanceof TrackedParts)) return;
        const { tracked: read } = await readAnew(written);
        if (read instanceof TrackedParts) parts += 1;
        await expectRevivedAlike(read, false);
      }),
      { numRuns: 200 },
    );
    expect(parts).toBeGreaterThan(100);
  });
});

test("a_text_that_is_written_elsewise_is_read_each_time", async () => {
  const id = ["langchain_core", "messages", "AIMessage"];
  const kwargs = { response_metadata: { b: [1], a: {} }, content: "hi" };
  const text = JSON.stringify([{ lc: 1, type: "constructor", id, kwargs }]);
  const payload = { kind: "json", bytes: encoder.encode(text) };
  const lengths = Uint32Array.of(text.length - 2);
  const { tracked } = await revive(serde, payload, lengths, false);
  expect(tracked).toBeInstanceOf(TrackedParts);
  await expectRevivedAlike(tracked, false);
});

test("a_getter_that_changes_its_mind_is_revived_as_it_was_written", async () => {
  let looks = 0;
  const value = [{ a: 1 }].map((fields) => {
    return Object.defineProperty(fields, "looks", { get: () => looks++, enumerable: true });
  });
  await expectRevivedAlike(await trackNew(serde, value, false), false);
  expect(looks).toBeGreaterThan(0);
});

test("what_was_revived_is_proven_by_what_it_was_made_of", async () => {
  const call = { type: "tool_call" as const, id: "c", name: "n", args: { list: [1, { deep: 0 }] } };
  const chat = [new HumanMessage("hi"), new AIMessage({ content: "", tool_calls: [call] })];
  let { tracked } = await reviveCached(serde, await trackNew(serde, chat, false), false);
  for (let round = 0; round < 3; round += 1) {
    const again = await reviveCached(serde, tracked, false);
    tracked = again.tracked;
    if (!(tracked instanceof TrackedParts) || !Array.isArray(again.value)) throw new TypeError();
    const [, answer] = again.value;
    if (!(answer instanceof AIMessage)) throw new TypeError();
    expect(samePrefix(tracked, { keys: undefined, items: again.value })).toBe(2);
    Object.assign(answer.tool_calls?.[0]?.args.list[1], { deep: -0 });
    expect(samePrefix(tracked, { keys: undefined, items: again.value })).toBe(1);
  }
});

describe("a_list_that_was_read_and_is_put_again", () => {
  const call = { type: "tool_call" as const, id: "c", name: "n", args: { list: [1, { deep: 0 }] } };
  const chat = Array.from({ length: 6 }, (_, at) => {
    return at % 2 === 0
      ? new HumanMessage(`${at}`)
      : new AIMessage({ content: "", tool_calls: [call] });
  });

  async function changed(change: (items: unknown[]) => void): Promise<NewValue> {
    const written = await trackNew(serde, chat, false);
    if (!(written instanceof TrackedParts)) throw new TypeError();
    const { value, tracked } = await readAnew(written);
    if (!Array.isArray(value)) throw new TypeError();
    change(value);
    return (await write(serde, value, { tracked, editable: true }, false)).value;
  }

  const keptIn = (value: NewValue) => {
    const runs = value.tag === "edited" ? value.val : [];
    return runs.map((run) => (run.tag === "kept" ? [run.val.first, run.val.count] : "fresh"));
  };

  test("is_unchanged_where_nothing_was_done_to_it", async () => {
    expect((await changed(() => {})).tag).toBe("unchanged");
  });

  test("keeps_what_was_not_changed_in_place", async () => {
    const deepen = (items: unknown[]) => {
      if (items[3] instanceof AIMessage) items[3].tool_calls?.[0]?.args.list.push({ deep: -0 });
    };
    expect(keptIn(await changed(deepen))).toEqual([[0, 3], "fresh", [4, 2]]);
  });

  test("keeps_what_has_moved", async () => {
    const move = (items: unknown[]) => {
      items.shift();
      items.push(new HumanMessage("new"));
    };
    expect(keptIn(await changed(move))).toEqual([[1, 5], "fresh"]);
    expect(keptIn(await changed((items) => items.unshift("new")))).toEqual(["fresh", [0, 6]]);
  });
});
