import { deepStrictEqual } from "node:assert/strict";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { PromptTemplate } from "@langchain/core/prompts";
import { describe, expect, it, vi } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { stock, text } from "./arbitraries.js";

const serde = new JsonPlusSerde();

function roundTrip(value: unknown): unknown {
  return serde.loads(...serde.dumps(value));
}

function core(name: string, kwargs: unknown): Record<string, unknown> {
  return { lc: 1, type: "constructor", id: ["langchain_core", "messages", name], kwargs };
}

describe("user data that looks like a record", () => {
  const lookalikes: [string, unknown][] = [
    ["undefined", { lc: 2, type: "undefined" }],
    ["undefined with more keys", { lc: 2, type: "undefined", mine: 1 }],
    ["a Set", { lc: 2, type: "constructor", id: ["Set"], method: null, args: [[1]], kwargs: {} }],
    ["a delta snapshot", { lc: 2, type: "delta_snapshot", value: 1 }],
    ["a BigInt", { lc: 2, type: "bigint", value: "1" }],
    ["an escape", { lc: 2, type: "escaped", value: [["lc", 2]] }],
    ["a message", core("HumanMessage", { content: "x" })],
    ["a message with a message's record in it", core("AIMessage", { a: core("AIMessage", {}) })],
    ["a message that its class refuses", core("HumanMessage", { content: "x", lc_kwargs: 1 })],
    ["a record with a value inside", { lc: 2, type: "undefined", at: new Date(0) }],
  ];

  it.each(lookalikes)("%s comes back as the plain object it was", (_, value) => {
    deepStrictEqual(roundTrip(value), value);
    deepStrictEqual(roundTrip({ a: [value], b: new Map([[value, value]]) }), {
      a: [value],
      b: new Map([[value, value]]),
    });
  });

  it.each(lookalikes)("%s is inert to the stock reader", async (_, value) => {
    const written = serde.dumps({ value });
    deepStrictEqual(await stock.loadsTyped(...written), JSON.parse(text(written[1])));
  });

  it.each(lookalikes)("%s comes back from a message's fields, to stock inert", async (_, value) => {
    const message = new HumanMessage({ content: "x", additional_kwargs: { value } });
    const written = serde.dumps(message);
    deepStrictEqual(serde.loads(...written), message);
    const stockRead: HumanMessage = await stock.loadsTyped(...written);
    const { kwargs } = JSON.parse(text(written[1]));
    deepStrictEqual(stockRead.additional_kwargs, kwargs.additional_kwargs);
  });

  it.each(lookalikes)("%s comes back from a prompt's fields", (_, value) => {
    const fields = { template: "x", inputVariables: [], metadata: { value } };
    const prompt = new PromptTemplate(fields);
    const read = Object(roundTrip(prompt));
    expect(read).toBeInstanceOf(PromptTemplate);
    expect(Object.keys(read.metadata.value)).toEqual(Object.keys(Object(value)));
    expect(read.metadata.value.lc).toBe(Object(value).lc);
  });

  it("a wrapper inside a lookalike inside a message's fields comes back", () => {
    const value = { lc: 2, type: "undefined", x: { __lc_escaped__: 5 } };
    const message = new HumanMessage({ content: "x", additional_kwargs: { value } });
    deepStrictEqual(roundTrip(message), message);
  });

  it("an object that names itself a Send and is none keeps its keys", () => {
    const value = [
      { lg_name: "Send", node: "n", args: 1, mine: true },
      { lg_name: "Send", node: "n" },
      { lg_name: "Send", args: 1 },
    ];
    deepStrictEqual(roundTrip(value), value);
  });

  it("a class that is no LangChain class cannot pose as one through its toJSON", () => {
    const poser = { toJSON: () => core("HumanMessage", { content: "x" }) };
    deepStrictEqual(roundTrip({ poser }), { poser: core("HumanMessage", { content: "x" }) });
  });

  it("a message's own record is not escaped", async () => {
    const message = new AIMessage("x");
    expect(text(serde.dumps(message)[1])).toBe(text((await stock.dumpsTyped(message))[1]));
  });
});

describe("reading", () => {
  it.each<[string, Record<string, unknown>]>([
    [
      "another namespace",
      { lc: 1, type: "constructor", id: ["langchain", "x", "Foo"], kwargs: {} },
    ],
    ["an unknown name", core("Elsewhere", { content: "x" })],
    ["an inherited name", core("constructor", { content: "x" })],
    ["a function of the module", core("getBufferString", [])],
    [
      "a class that acts",
      {
        lc: 1,
        type: "constructor",
        id: ["langchain_core", "runnables", "RunnableSequence"],
        kwargs: { first: 1 },
      },
    ],
    [
      "a tracer",
      {
        lc: 1,
        type: "constructor",
        id: ["langchain_core", "tracers", "tracer_langchain", "LangChainTracer"],
        kwargs: {},
      },
    ],
    ["no kwargs", { lc: 1, type: "constructor", id: ["langchain_core", "messages", "AIMessage"] }],
    ["an id too long", core("AIMessage", {})],
    [
      "an id of an object that has no text",
      { lc: 1, type: "constructor", id: ["langchain_core", { toString: 1 }, "X"], kwargs: {} },
    ],
    ["an unknown method", { lc: 2, type: "constructor", id: ["Set"], method: "from", args: [[1]] }],
    ["a global", { lc: 2, type: "constructor", id: ["Function"], method: null, args: ["1"] }],
    ["a dotted global", { lc: 2, type: "constructor", id: ["process", "exit"], args: [[1]] }],
    ["a bad expression", { lc: 2, type: "constructor", id: ["RegExp"], args: ["(", ""] }],
    ["a byte too large", { lc: 2, type: "constructor", id: ["Uint8Array"], args: [[256]] }],
    ["a number in words", { lc: 2, type: "number", value: "12" }],
    ["a BigInt with a zero ahead", { lc: 2, type: "bigint", value: "012" }],
    ["a date of another spelling", { lc: 2, type: "date", value: "2026-01-01" }],
    ["binary of an unknown kind", { lc: 2, type: "binary", value: ["Worker", "AA=="] }],
    ["binary of a wrong length", { lc: 2, type: "binary", value: ["Int16Array", "AA=="] }],
    ["binary that is not base64", { lc: 2, type: "binary", value: ["Int8Array", "?"] }],
    ["a record with a key too many", { lc: 2, type: "number", value: "NaN", x: 1 }],
  ])("%s stays as it is on the wire, and is written again in the same bytes", (name, record) => {
    if (name === "an id too long") {
      record.id = ["langchain_core", ...Array(20).fill("messages"), "AIMessage"];
    }
    const wire = JSON.stringify({ state: [record] });
    const read = serde.loads("json", wire);
    deepStrictEqual(read, { state: [record] });
    expect(text(serde.dumps(read)[1])).toBe(wire);
  });

  it("an unknown class inside a message's fields is written again in the same bytes", () => {
    const unknown = { lc: 1, type: "constructor", id: ["elsewhere", "Foo"], kwargs: { a: 1 } };
    const wire = JSON.stringify(
      core("HumanMessage", {
        content: "x",
        additional_kwargs: { unknown },
        response_metadata: {},
      }),
    );
    const message = serde.loads("json", wire);
    expect(message).toBeInstanceOf(HumanMessage);
    deepStrictEqual(Object(message).additional_kwargs, { unknown });
    expect(text(serde.dumps(message)[1])).toBe(wire);
  });

  it("values inside an unknown class are read", () => {
    const kwargs = { at: { lc: 2, type: "date", value: null }, none: { lc: 2, type: "undefined" } };
    const wire = JSON.stringify({ lc: 1, type: "constructor", id: ["x", "Foo"], kwargs });
    const read = serde.loads("json", wire);
    expect(Object(read).kwargs).toStrictEqual({ at: new Date(Number.NaN), none: undefined });
    expect(text(serde.dumps(read)[1])).toBe(wire);
  });

  it("kwargs that a class refuses leave the record plain and the rest readable", () => {
    // The class expects a list of chunks, and throws.
    const refused = core("AIMessageChunk", { content: "x", tool_call_chunks: "x" });
    const wire = JSON.stringify({ refused, fine: core("HumanMessage", { content: "y" }) });
    const read = Object(serde.loads("json", wire));
    deepStrictEqual(read.refused, refused);
    expect(read.fine).toBeInstanceOf(HumanMessage);
    deepStrictEqual(Object(roundTrip(read)).refused, refused);
  });

  it("a secret is never looked up", () => {
    vi.stubEnv("SERDE_TEST_SECRET", "from the environment");
    try {
      const secret = { lc: 1, type: "secret", id: ["SERDE_TEST_SECRET"] };
      const wire = JSON.stringify([
        secret,
        core("HumanMessage", { content: "x", additional_kwargs: { secret } }),
      ]);
      const [alone, message] = Object(serde.loads("json", wire));
      deepStrictEqual(alone, secret);
      deepStrictEqual(message.additional_kwargs, { secret });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("__proto__ is a key like any other", () => {
    const wire = '{"__proto__":{"polluted":true,"at":{"lc":2,"type":"undefined"}},"a":[1]}';
    const read = Object(serde.loads("json", wire));
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(read.polluted).toBeUndefined();
    deepStrictEqual(Object.getOwnPropertyDescriptor(read, "__proto__")?.value, {
      polluted: true,
      at: undefined,
    });
    expect(text(serde.dumps(read)[1])).toBe(wire);
  });

  it("__proto__ in a message's fields changes no prototype", () => {
    const wire =
      '{"lc":1,"type":"constructor","id":["langchain_core","messages","HumanMessage"],' +
      '"kwargs":{"content":"x","__proto__":{"polluted":true},' +
      '"additional_kwargs":{"__proto__":{"polluted":true}},"response_metadata":{}}}';
    const message = Object(serde.loads("json", wire));
    expect(message).toBeInstanceOf(HumanMessage);
    expect(Object.getPrototypeOf(message)).toBe(HumanMessage.prototype);
    expect(message.polluted).toBeUndefined();
    expect(Object.getPrototypeOf(message.lc_kwargs)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(message.additional_kwargs)).toBe(Object.prototype);
    expect(Object.hasOwn(message.additional_kwargs, "__proto__")).toBe(true);
  });
});
