import { deepStrictEqual } from "node:assert/strict";
import { Document } from "@langchain/core/documents";
import { HumanMessage } from "@langchain/core/messages";
import { Command, Overwrite, Send } from "@langchain/langgraph";
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { jsonValue, stock, stockValue, text } from "./arbitraries.js";

const serde = new JsonPlusSerde();

async function expectSameBytes(value: unknown): Promise<Uint8Array> {
  const [type, bytes] = serde.dumps(value);
  const [stockType, stockBytes] = await stock.dumpsTyped(value);
  expect([type, text(bytes)]).toEqual([stockType, text(stockBytes)]);
  return bytes;
}

describe("what LangGraph.js's format keeps", () => {
  it("JSON data is written in the stock bytes and read to the stock values", async () => {
    await fc.assert(
      fc.asyncProperty(jsonValue, async (value) => {
        const bytes = await expectSameBytes(value);
        deepStrictEqual(serde.loads("json", bytes), await stock.loadsTyped("json", bytes));
      }),
    );
  });

  it("undefined, sets, maps, expressions and errors are written and read alike", async () => {
    await fc.assert(
      fc.asyncProperty(stockValue, async (value) => {
        const bytes = await expectSameBytes([value]);
        const restored = serde.loads("json", bytes);
        deepStrictEqual(restored, await stock.loadsTyped("json", bytes));
        deepStrictEqual(restored, [value]);
      }),
      { numRuns: 1500 },
    );
  });

  it.each<[string, unknown]>([
    ["undefined alone", undefined],
    ["null alone", null],
    ["a string alone", 'a "quoted" \u2028 \ud800 lone surrogate'],
    ["an array with holes", [1, undefined, Array(2)]],
    ["a Map of Maps", new Map([[new Map([[1, new Set([undefined])]]), { a: /x/g }]])],
    ["an error of a subclass", new RangeError("out of range")],
    ["integer-like keys", { b: 1, 2: 2, 1: new Set([1]) }],
    ["a DeltaSnapshot", new DeltaSnapshot({ messages: [new HumanMessage("hi"), undefined] })],
    ["a plain lookalike of a DeltaSnapshot", { lg_name: "DeltaSnapshot", value: [1] }],
    ["a Send", new Send("node", { messages: [new HumanMessage("hi")], n: undefined })],
    ["a Send with a timeout", new Send("node", [1], { timeout: 500 })],
    ["a Command", new Command({ update: { a: new Set([1]) }, goto: "next", resume: "yes" })],
    ["a Command with a Send", new Command({ goto: [new Send("a", { x: 1 })] })],
    ["an Overwrite", { xs: new Overwrite([1, new Map([[1, 2]])]) }],
    ["a Document", new Document({ pageContent: "text", metadata: { page: 1 } })],
    ["a URL", { at: new URL("https://example.org/a?b=c") }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: undefined })],
    ["an object that names itself a Send", { lg_name: "Send", node: "n", args: [1] }],
    ["a record of an unknown type", { lc: 2, type: "later", value: [undefined] }],
    ["an lc key that names no record", { lc: "x", a: 1 }],
  ])("%s is written and read alike", async (_, value) => {
    const bytes = await expectSameBytes(value);
    deepStrictEqual(serde.loads("json", bytes), await stock.loadsTyped("json", bytes));
  });

  it("a class instance is its own fields, and its toJSON is honoured", async () => {
    class Point {
      x = 1;
      #secret = 2;
      get sum(): number {
        return this.x + this.#secret;
      }
    }
    class Money {
      constructor(readonly cents: number) {}
      toJSON(key: string): unknown {
        return { key, cents: this.cents, note: undefined };
      }
    }
    class Itself {
      a = [new Set([1])];
      toJSON(): unknown {
        return this;
      }
    }
    const listed = Object.assign([1], { toJSON: () => ({ listed: [undefined] }) });
    const value = { point: new Point(), money: [new Money(5)], itself: new Itself(), listed };
    const bytes = await expectSameBytes(value);
    deepStrictEqual(serde.loads("json", bytes), {
      point: { x: 1 },
      money: [{ key: "0", cents: 5, note: undefined }],
      itself: { a: [new Set([1])] },
      listed: { listed: [undefined] },
    });
  });

  it("a toJSON of the user's own comes before what this package would keep", () => {
    class Day extends Date {
      override toJSON(): string {
        return "a day";
      }
    }
    class Digest extends Uint8Array {
      toJSON(): string {
        return "a digest";
      }
    }
    const message = Object.assign(new HumanMessage("x"), { toJSON: () => "a message" });
    const [, bytes] = serde.dumps([new Day(0), new Digest(2), message]);
    expect(text(bytes)).toBe('["a day","a digest","a message"]');
  });

  it("a toJSON that returns a message or a date gives that", () => {
    const message = new HumanMessage("x");
    const value = [{ toJSON: () => message }, { toJSON: () => new Date(0) }];
    deepStrictEqual(serde.loads(...serde.dumps(value)), [message, new Date(0)]);
  });

  it("a getter is read as the value it gives", async () => {
    const value = {
      get at(): unknown {
        return new Set([1]);
      },
    };
    deepStrictEqual(serde.loads(...serde.dumps(value)), { at: new Set([1]) });
    await expectSameBytes(value);
  });

  it("an object met twice without a cycle is written twice", async () => {
    const shared = { a: new Set([1]) };
    let deep: unknown = shared;
    for (let depth = 0; depth < 100; depth += 1) deep = [shared, deep];
    await expectSameBytes([shared, { again: shared }, deep]);
  });

  it("top-level bytes are bytes, to both", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        deepStrictEqual(serde.dumps(bytes), await stock.dumpsTyped(bytes));
        deepStrictEqual(serde.loads("bytes", bytes), await stock.loadsTyped("bytes", bytes));
      }),
    );
  });

  it("text is read from a string as from bytes", () => {
    deepStrictEqual(serde.loads("json", '{"a":[1]}'), { a: [1] });
    deepStrictEqual(serde.loads("bytes", "\u00e9"), new Uint8Array([0xc3, 0xa9]));
  });

  it("the asynchronous methods give what the synchronous ones give", async () => {
    const value = { a: new Set([1n]) };
    const [type, bytes] = await serde.dumpsTyped(value);
    deepStrictEqual([type, bytes], serde.dumps(value));
    deepStrictEqual(await serde.loadsTyped(type, bytes), value);
  });
});
