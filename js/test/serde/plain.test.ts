import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { note, plainText } from "../../src/serde/plain.js";
import { Encoder } from "../../src/serde/write.js";
import { changeableValue, mutation, provableValue, trackedValue } from "../changes/arbitraries.js";

/** The encoder's text of a value. Any other way to write it has to give the same. */
function encoded(value: unknown): string | undefined {
  try {
    return JSON.stringify(new Encoder(() => {}).encode(value));
  } catch {
    return undefined;
  }
}

describe("what is written in one walk is what the encoder writes", () => {
  it.each([
    ["that a proof may be had of", provableValue, 1_000],
    ["of every kind", changeableValue, 100],
    ["of both kinds", trackedValue, 500],
  ])("of values %s", (_, values, least) => {
    let written = 0;
    fc.assert(
      fc.property(values, fc.array(mutation, { maxLength: 2 }), (value, mutations) => {
        for (const { apply } of mutations) apply(value);
        const texts = [plainText(value), note([], value)?.text];
        for (const text of texts.filter((given) => given !== undefined)) {
          written += 1;
          expect(text).toBe(encoded(value));
        }
        expect(texts[0] === undefined && texts[1] !== undefined).toBe(false);
      }),
      { numRuns: 5_000 },
    );
    expect(written).toBeGreaterThan(least);
  });

  it("of any text", () => {
    const strange = fc.string({ unit: "binary", maxLength: 8 });
    const surrogates = fc.array(fc.nat({ max: 0xffff }), { maxLength: 8 }).map((units) => {
      return String.fromCharCode(...units);
    });
    const quotes = fc.string({ unit: fc.constantFrom('"', "\\", "\n", "a", "\u00e9", "\u2028") });
    fc.assert(
      fc.property(fc.oneof(strange, surrogates, quotes), (text) => {
        expect(plainText(text)).toBe(JSON.stringify(text));
        expect(plainText({ [text]: [text] })).toBe(encoded({ [text]: [text] }));
      }),
      { numRuns: 20_000 },
    );
  });

  it("of many numbers", () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e21, 1e-7, 0.1));
    const numbers = fc.array(number, { minLength: 10, maxLength: 40 });
    fc.assert(
      fc.property(numbers, (items) => {
        const value = { items, nested: [items] };
        const texts = [plainText(value), note([], value)?.text];
        for (const text of texts) if (text !== undefined) expect(text).toBe(encoded(value));
        const finite = items.filter((item) => Number.isFinite(item) && !Object.is(item, -0));
        expect(plainText(finite)).toBe(JSON.stringify(finite));
      }),
      { numRuns: 5_000 },
    );
  });

  it("of messages with every kind of field", () => {
    const call = { type: "tool_call" as const, id: "c", name: "find", args: { q: 'a "word"' } };
    const messages = [
      new HumanMessage("hello"),
      new HumanMessage({ content: [{ type: "text", text: "x" }], name: "n", id: "i" }),
      new AIMessage({ content: "", tool_calls: [call], additional_kwargs: { none: undefined } }),
      new ToolMessage({ content: "{}", tool_call_id: "c", artifact: [1, null, undefined, 0.5] }),
    ];
    for (const message of messages) {
      expect(plainText(message)).toBe(encoded(message));
      expect(plainText(message)).toContain('"kwargs":{');
    }
    expect(plainText([messages, { messages }])).toBe(encoded([messages, { messages }]));
  });
});

describe("left to the encoder is", () => {
  const aliased: object = { tool_call_id: "b", toolCallId: "a" };
  it.each<[string, unknown]>([
    ["a number that JSON has not", [Number.NaN]],
    ["negative zero", { a: -0 }],
    ["a bigint", [1n]],
    ["what may be a Send", { lg_name: "Send", node: "n", args: 1 }],
    ["a record's look-alike", { lc: 1 }],
    ["a Map", [new Map()]],
    ["a function", [() => 1]],
    ["a Proxy", [new Proxy({}, {})]],
    ["an array's toJSON", Object.assign([], { toJSON: () => 1 })],
    [
      "a message with two fields of one name",
      new ToolMessage({ content: "x", tool_call_id: "c", ...aliased }),
    ],
  ])("%s", (_, value) => {
    expect(plainText(value)).toBeUndefined();
    expect(note([], value)?.text).toBeUndefined();
  });

  it("every message while arrays have a toJSON", () => {
    const message = new HumanMessage({ content: "x", additional_kwargs: {} });
    const prototype: object = Array.prototype;
    Object.defineProperty(prototype, "toJSON", { value: () => "mine", configurable: true });
    try {
      expect(plainText(message)).toBeUndefined();
    } finally {
      Reflect.deleteProperty(prototype, "toJSON");
    }
    expect(plainText(message)).toBe(encoded(message));
  });
});
