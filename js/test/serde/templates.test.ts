import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { templateOf } from "../../src/serde/template.js";
import { provableValue } from "../changes/arbitraries.js";
import { expectAlike } from "../support/graphs.js";
import { messages, toolChunk } from "../support/messages.js";
import { anyKeptValue, text } from "./arbitraries.js";

const serde = new JsonPlusSerde({ onWarning: () => {} });

function textOf(value: unknown): string {
  return text(serde.dumps(value)[1]);
}

/** Two values from one template, used as a page uses it; undefined if there is no template. */
function madeOf(json: string): [unknown, unknown] | undefined {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const template = templateOf(parsed);
  try {
    return template && [template.make(), template.make()];
  } catch {
    return undefined;
  }
}

function expectReadAlike(json: string): boolean {
  const made = madeOf(json);
  if (made === undefined) return false;
  const [one, other] = made;
  expectAlike(one, serde.loads("json", json));
  expectAlike(other, one);
  return true;
}

function record(kwargs: object, name = "AIMessage"): string {
  const id = ["langchain_core", "messages", name];
  return JSON.stringify({ lc: 1, type: "constructor", id, kwargs });
}

describe("what_a_template_makes_is_what_reading_makes", () => {
  test.each([...messages, ["a ToolMessageChunk", toolChunk] as const])("of_%s", (_, message) => {
    expect(expectReadAlike(textOf(message))).toBe(true);
    expect(expectReadAlike(textOf({ last: message, all: [message, message] }))).toBe(true);
  });

  test.each<[string, object]>([
    ["tool_calls_of_older_packages", { additional_kwargs: { tool_calls: [{ function: {} }] } }],
    ["blocks_and_calls", { contentBlocks: [{ type: "tool_call", id: "1", name: "n", args: {} }] }],
    ["a_block_that_is_no_list", { content: { a: 1 }, response_metadata: { output_version: "v1" } }],
    ["undefined_fields", { content: "x", name: { lc: 2, type: "undefined" } }],
    ["two_spellings_of_a_field", { content: "x", tool_calls: [], toolCalls: [1], "tool-calls": 2 }],
    ["a_prototype_of_its_own", JSON.parse('{"content":"x","__proto__":{"a":[1]}}')],
    ["numbers_as_keys", { content: "x", 2: { b: 1 }, 1: { a: [] } }],
  ])("of_kwargs_with_%s", (_, kwargs) => {
    for (const name of ["AIMessage", "HumanMessage", "AIMessageChunk", "ToolMessage"]) {
      expect(expectReadAlike(record(kwargs, name))).toBe(true);
    }
  });

  test("of_any_value", () => {
    let made = 0;
    fc.assert(
      fc.property(fc.oneof(anyKeptValue, provableValue), (value) => {
        if (expectReadAlike(textOf([value]))) made += 1;
      }),
      { numRuns: 2_500 },
    );
    expect(made).toBeGreaterThan(800);
  });

  test("of_a_deep_value_that_is_not_too_deep", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    expect(expectReadAlike(nested(40))).toBe(true);
    expect(expectReadAlike(nested(100_000))).toBe(false);
  });
});

describe("no_template_is_made", () => {
  test.each<[string, string]>([
    ["a_record_that_is_data", record({}, "NoMessage")],
    ["kwargs_that_a_class_refuses", record({ contentBlocks: [null] })],
    ["what_LangChain_wrapped", record({ content: "x", a: { __lc_escaped__: { b: 1 } } })],
    ["a_date", textOf({ at: new Date(0) })],
    ["a_set", textOf([new Set([1])])],
    ["bytes", textOf({ bytes: Uint8Array.of(1) })],
    ["an_object_with_the_key_of_records", textOf({ a: { lc: 1 } })],
  ])("of_%s", (_, json) => {
    expect(madeOf(json)).toBeUndefined();
  });
});
