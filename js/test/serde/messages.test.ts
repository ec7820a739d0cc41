import { deepStrictEqual } from "node:assert/strict";
import { load } from "@langchain/core/load";
import * as core from "@langchain/core/messages";
import { ChatPromptValue, StringPromptValue } from "@langchain/core/prompt_values";
import { ChatPromptTemplate, PromptTemplate } from "@langchain/core/prompts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { messages, toolChunk } from "../support/messages.js";
import { stock, text } from "./arbitraries.js";

const serde = new JsonPlusSerde();
function restore(value: unknown): unknown {
  return serde.loads(...serde.dumps(value));
}

describe.each(messages)("%s", (_, message) => {
  it("is written in the stock bytes", async () => {
    const value = { messages: [message], last: message };
    expect(text(serde.dumps(value)[1])).toBe(text((await stock.dumpsTyped(value))[1]));
  });

  it("comes back as an equal instance of its own class", () => {
    const restored = restore(message);
    expect(restored).toBeInstanceOf(core.BaseMessage);
    expect(restored).toBeInstanceOf(message.constructor);
    // A message adds to the constructor's arguments it keeps, so these may differ.
    deepStrictEqual({ ...Object(restored), lc_kwargs: {} }, { ...message, lc_kwargs: {} });
    deepStrictEqual(Object.getPrototypeOf(restored), Object.getPrototypeOf(message));
  });

  it("is read as LangChain's own loader and LangGraph.js read it", async () => {
    const [type, bytes] = serde.dumps(message);
    // Both drop undefined fields from the kwargs, and `toEqual` ignores undefined fields.
    expect(serde.loads(type, bytes)).toEqual(await stock.loadsTyped(type, bytes));
    const loaded = await load<core.BaseMessage>(JSON.stringify(message));
    expect(serde.loads("json", JSON.stringify(message))).toEqual(loaded);
  });

  it("is written again in the same bytes once read", () => {
    const first = serde.dumps([message]);
    deepStrictEqual(serde.dumps(serde.loads(...first)), first);
  });
});

describe("LangChain classes", () => {
  it("every exported message class has a case above", () => {
    const covered = new Set<unknown>([
      ...messages.map(([, message]) => message.constructor),
      toolChunk.constructor,
    ]);
    const concrete = Object.entries(core).filter(
      ([name, value]) =>
        /Message(?:Chunk)?$/.test(name) &&
        /^[A-Z]/.test(name) &&
        !name.startsWith("Base") &&
        typeof value === "function",
    );
    expect(concrete.length).toBeGreaterThanOrEqual(13);
    expect(concrete.filter(([, value]) => !covered.has(value)).map(([name]) => name)).toEqual([]);
  });

  it("a ToolMessageChunk keeps its tool call id, which LangChain's loader loses", async () => {
    const [type, bytes] = serde.dumps(toolChunk);
    expect(text(bytes)).toBe(text((await stock.dumpsTyped(toolChunk))[1]));
    const stockRead: core.ToolMessageChunk = await stock.loadsTyped(type, bytes);
    expect(stockRead.tool_call_id).toBeUndefined();
    deepStrictEqual(serde.loads(type, bytes), toolChunk);
  });

  it("field names of any spelling are mapped as LangChain maps them", async () => {
    const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_ -]{0,12}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.integer()), async (extra) => {
        const message = new core.HumanMessage({ content: "x", ...extra });
        const [type, bytes] = serde.dumps(message);
        expect(text(bytes)).toBe(text((await stock.dumpsTyped(message))[1]));
        expect(serde.loads(type, bytes)).toEqual(await stock.loadsTyped(type, bytes));
      }),
    );
  });

  it("prompts and prompt values come back as the stock reader brings them back", async () => {
    const values = [
      new StringPromptValue("text"),
      new ChatPromptValue([new core.HumanMessage("hi")]),
      PromptTemplate.fromTemplate("Tell me about {topic}"),
      ChatPromptTemplate.fromMessages([["system", "You are {who}"]]),
    ];
    const [type, bytes] = serde.dumps(values);
    expect(text(bytes)).toBe(text((await stock.dumpsTyped(values))[1]));
    const restored = serde.loads(type, bytes);
    expect(restored).toEqual(await stock.loadsTyped(type, bytes));
    expect(restored).toEqual(values.map((value) => expect.any(value.constructor)));
  });

  it("an id may name the file of a class, as LangChain's loader allows", async () => {
    const record = {
      lc: 1,
      type: "constructor",
      id: ["langchain_core", "messages", "ai", "AIMessage"],
      kwargs: { content: "x" },
    };
    const wire = JSON.stringify(record);
    expect(serde.loads("json", wire)).toEqual(await stock.loadsTyped("json", wire));
    expect(serde.loads("json", wire)).toBeInstanceOf(core.AIMessage);
  });

  it("an lc key in a message's fields is wrapped as LangChain wraps it", async () => {
    const additional_kwargs = { a: { lc: 5, deep: [{ x: 1 }] }, b: { __lc_escaped__: { y: 1 } } };
    const message = new core.HumanMessage({ content: "x", additional_kwargs });
    const [type, bytes] = serde.dumps(message);
    expect(text(bytes)).toBe(text((await stock.dumpsTyped(message))[1]));
    deepStrictEqual(serde.loads(type, bytes), message);
  });

  it("a subclass, which no reader knows, stays the record that its toJSON gives", async () => {
    class Note extends core.HumanMessage {
      static override lc_name(): string {
        return "Note";
      }
    }
    const note = new Note({ content: "x", additional_kwargs: { a: { lc: 1 } } });
    const [type, bytes] = serde.dumps([note]);
    expect(text(bytes)).toBe(text((await stock.dumpsTyped([note]))[1]));
    deepStrictEqual(serde.loads(type, bytes), JSON.parse(text(bytes)));
    deepStrictEqual(serde.dumps(serde.loads(type, bytes)), [type, bytes]);
  });
});
