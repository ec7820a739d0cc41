// Values of every kind that a graph in JavaScript keeps, by name, and what Python makes of those
// that it does not give back.

import { AIMessage, ToolMessage } from "@langchain/core/messages";
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";
import { messages, toolChunk } from "./messages.js";

const lookalike = {
  lc: 2,
  type: "constructor",
  id: ["uuid", "UUID"],
  method: null,
  args: ["00000000000000000000000000000007"],
  kwargs: {},
};

/** A set that an object is in, and one that Python would take two items of for one. */
const sets = [new Set([{ a: 1 }, [1]]), new Set([1, true])];

const call = { name: "search", args: { q: "x", n: 1 }, id: "c1", type: "tool_call" as const };

// With exact optional types, the field's declared type accepts no value.
const usage: object = {
  usage_metadata: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
};

/** What Python's classes make of some messages. */
const changedMessages = new Map<string, unknown>([
  [
    // Python says the type of invalid calls, too.
    "an AIMessage with tool calls",
    new AIMessage({
      content: "",
      id: "m1",
      tool_calls: [call],
      invalid_tool_calls: [
        {
          name: "bad",
          args: "{",
          id: "c2",
          error: "Malformed args.",
          type: "invalid_tool_call",
        },
      ],
      additional_kwargs: { camelCase: { snake_case: [1] } },
      ...usage,
    }),
  ],
  [
    "an AIMessage of standard content blocks",
    new AIMessage({
      content: [{ type: "text", text: "v1" }, call],
      tool_calls: [call],
      response_metadata: { output_version: "v1" },
    }),
  ],
  [
    // Python's serializer makes dicts of the messages inside of an artifact.
    "a ToolMessage",
    new ToolMessage({
      content: "found",
      tool_call_id: "c1",
      name: "search",
      status: "success",
      artifact: {
        rows: [[1, null]],
        inner: [
          {
            content: "nested",
            additional_kwargs: {},
            response_metadata: {},
            type: "human",
            name: null,
            id: null,
          },
        ],
      },
    }),
  ],
]);

/** Values that come back equal. */
export const kept: [string, unknown][] = [
  ...messages.filter(([name]) => !changedMessages.has(name)),
  ["a ToolMessageChunk", toolChunk],
  ["null", null],
  ["booleans", [true, false]],
  ["whole numbers", [0, 1, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 60, 1e21]],
  ["fractions", [1.5, -0.25, 5e-324, 1e300, 0.1]],
  ["what is no number", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
  ["bigints", [2n ** 53n, 2n ** 64n - 1n, -(2n ** 63n), 2n ** 64n, -(2n ** 70n)]],
  ["texts", ["", "plain", "\ufeff", "\0", "\u00e9\u4e2d\u{1f600}", "x".repeat(300)]],
  ["bytes", new Uint8Array([0, 255])],
  ["nested bytes", { raw: new Uint8Array([0, 255]), empty: new Uint8Array() }],
  ["arrays of other numbers", [new Float64Array([1.5]), new Uint16Array([1]).buffer]],
  ["lists", [[], [1, [2]]]],
  ["objects", { a: { b: [null] }, "": "", constructor: 1 }],
  ["an object with a key __proto__", JSON.parse('{"__proto__": {"a": 1}}')],
  ["a Set", new Set([1, "a", null])],
  ["Sets that Python cannot have", sets],
  [
    "a Map",
    new Map<unknown, unknown>([
      [1, "a"],
      ["b", new Map([[2, new Set([3])]])],
    ]),
  ],
  ["Maps that Python cannot have", [new Map([[{ a: 1 }, 2]]), new Map([[new Date(0), 1]])]],
  ["dates", [new Date(0), new Date("2026-11-29T12:30:15.123Z"), new Date(Date.UTC(1, 0))]],
  ["dates that Python cannot have", [new Date(8.64e15), new Date(-8.64e15)]],
  ["an expression", /a+/giu],
  ["an error", { failed: new Error("wrong") }],
  ["a DeltaSnapshot", new DeltaSnapshot({ n: 1, seen: new Set([1]) })],
  ["a Send", { node: "node", args: { xs: [1] } }],
  ["an Overwrite", { __overwrite__: [1] }],
  ["user data like a message", { stored: JSON.parse(JSON.stringify(messages[0]?.[1])), lc: 1 }],
  ["user data like a record of Python's", lookalike],
  ["records of no known type", { lc: 2, type: "later", value: [1, { lc: 3 }] }],
];

/** Values that Python gives back as others. */
export const changed: [string, unknown, unknown][] = [
  ...messages.flatMap(([name, message]): [string, unknown, unknown][] => {
    return changedMessages.has(name) ? [[name, message, changedMessages.get(name)]] : [];
  }),
  ["undefined", { a: undefined, b: [undefined] }, { a: null, b: [null] }],
  ["small bigints", [1n, -5n], [1, -5]],
  ["a Map of texts", new Map([["a", 1]]), { a: 1 }],
  ["half of a surrogate pair", "\ud800", "?"],
  ["user data like JavaScript's records", { lc: 2, type: "bigint", value: "7" }, 7n],
];
