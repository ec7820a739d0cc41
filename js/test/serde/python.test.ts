// Bytes of LangGraph's Python serializer, and bytes that are nearly that.

import { deepStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { ExtData, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SerializationError } from "../../src/serde/errors.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { jsonValue, text } from "./arbitraries.js";

const serde = new JsonPlusSerde();

const FILE = new URL("../../../tests/languages/python.json", import.meta.url);
const stored: Record<string, [string, string]> = JSON.parse(readFileSync(FILE, "utf8"));

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(stored[name]?.[1] ?? "", "base64"));
}

function read(value: unknown): unknown {
  return serde.loads("msgpack", encode(value));
}

function isDouble(value: unknown): boolean {
  const isWhole = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isWhole || Object.is(value, -0);
}

/** An extension with packed parts. */
function extension(code: number, ...parts: unknown[]): ExtData {
  return new ExtData(code, encode(parts));
}

function record(id: string[], more: object): Record<string, unknown> {
  return { lc: 2, type: "constructor", id, method: null, args: [], kwargs: {}, ...more };
}

function again(value: unknown): unknown {
  const [kind, bytes] = serde.dumps(value);
  return kind === "json" ? JSON.parse(text(bytes)) : bytes;
}

function errorOf(bytes: Uint8Array): SerializationError {
  try {
    serde.loads("msgpack", bytes);
  } catch (error) {
    if (error instanceof SerializationError) return error;
    throw error;
  }
  return expect.unreachable("no error was thrown");
}

describe("plain data", () => {
  it("is read as what a MessagePack library wrote", () => {
    fc.assert(
      fc.property(jsonValue, (any) => {
        // The library writes -0 as 0, and whole doubles as integers.
        const value = JSON.parse(JSON.stringify(any, (_, part) => (isDouble(part) ? 0.5 : part)));
        deepStrictEqual(read(value), value);
      }),
      { numRuns: 1000 },
    );
  });

  it("has exact integers of 64 bits", () => {
    deepStrictEqual(serde.loads("msgpack", bytesOf("integers of 64 bits")), [
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 64n - 1n,
    ]);
  });

  it("has numbers where they are exact", () => {
    const value = [0, 127, 128, -1, -33, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1];
    deepStrictEqual(serde.loads("msgpack", bytesOf("integers")), value);
  });

  it("with keys that are not text is a Map", () => {
    const expected = new Map<unknown, unknown>([
      [1, "a"],
      [2, new Map([[3, new Uint8Array([120])]])],
    ]);
    deepStrictEqual(serde.loads("msgpack", bytesOf("a dict of integers")), expected);
    const keys = serde.loads("msgpack", bytesOf("a dict of any keys"));
    expect([...(keys as Map<unknown, unknown>).keys()]).toEqual([
      "a",
      1,
      null,
      2.5,
      new Uint8Array([107]),
      [1, ["b", 2]],
    ]);
  });

  it("with a key __proto__ sets no prototype", () => {
    const value = serde.loads("msgpack", bytesOf("keys that JavaScript has"));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(Object(value))).toEqual(["__proto__", "constructor", "toJSON", "then"]);
  });

  it("shares no bytes with what is stored", () => {
    const data = encode({ raw: new Uint8Array([1, 2]) });
    const value = serde.loads("msgpack", data);
    data.fill(0);
    deepStrictEqual(value, { raw: new Uint8Array([1, 2]) });
  });

  it("of the other types of Python is read", () => {
    expect(serde.loads("null", new Uint8Array())).toBeNull();
    deepStrictEqual(serde.loads("bytearray", new Uint8Array([1])), new Uint8Array([1]));
  });
});

describe("messages", () => {
  it("are those of LangChain.js, without what Python leaves at None", () => {
    const expected = new HumanMessage({
      content: "hi",
      additional_kwargs: {},
      response_metadata: {},
    });
    deepStrictEqual(serde.loads("msgpack", bytesOf("a HumanMessage")), expected);
    expect(serde.loads("msgpack", bytesOf("an AIMessage with everything"))).toMatchObject({
      id: "m1",
      name: "ann",
      tool_calls: [{ name: "search", args: { q: "x", n: 1, deep: [{ a: null }] }, id: "c1" }],
      invalid_tool_calls: [{ name: "bad", args: "{", id: "c2", error: "Malformed args." }],
      usage_metadata: { total_tokens: 3, input_token_details: { cache_read: 1 } },
      additional_kwargs: { camelCase: { snake_case: [1] }, lc_source: "x" },
      response_metadata: { model_name: "m", logprobs: null },
    });
  });

  it.each([
    ["of another package", "myapp.messages", "AIMessage"],
    ["of a package with a similar name", "langchain_core.messages_of_mine", "AIMessage"],
    ["of the class of all messages", "langchain_core.messages.base", "BaseMessage"],
    ["of no class", "langchain_core.messages.ai", "constructor"],
    ["of a class that is no message", "langchain_core.prompts.prompt", "PromptTemplate"],
  ])("%s stay inert", (_, module, name) => {
    const kwargs = { content: "x", template: "t" };
    const value = read(extension(5, module, name, kwargs, "model_validate_json"));
    deepStrictEqual(value, record([...module.split("."), name], { kwargs }));
  });

  it("that their class refuses stay inert", () => {
    const kwargs = { content: "x", contentBlocks: [null] };
    const id = ["langchain_core", "messages", "ai", "AIMessage"];
    const value = read(extension(5, "langchain_core.messages.ai", "AIMessage", kwargs));
    deepStrictEqual(value, record(id, { kwargs }));
  });
});

describe("values of Python alone", () => {
  it.each<[string, ExtData, Record<string, unknown>]>([
    [
      "by one argument",
      extension(0, "uuid", "UUID", "07"),
      record(["uuid", "UUID"], { args: ["07"] }),
    ],
    [
      "by arguments",
      extension(1, "re", "compile", ["a", 2]),
      record(["re", "compile"], { args: ["a", 2] }),
    ],
    [
      "by keywords",
      extension(2, "app", "Point", { x: 1 }),
      record(["app", "Point"], { kwargs: { x: 1 } }),
    ],
    [
      "by a method",
      extension(3, "app", "Day", "1", "of"),
      record(["app", "Day"], { method: "of", args: ["1"] }),
    ],
    [
      "by a model of pydantic 1",
      extension(4, "app.m", "M", { a: 1 }),
      record(["app", "m", "M"], { kwargs: { a: 1 } }),
    ],
    [
      "by numpy",
      extension(6, "<f8", [1], "C", new Uint8Array(8)),
      record(["numpy", "ndarray"], {
        kwargs: { shape: [1], dtype: "<f8", buffer: new Uint8Array(8), order: "C" },
      }),
    ],
    [
      "by a code of the user's",
      new ExtData(42, new Uint8Array([1])),
      { lc: 2, type: "extension", value: [42, new Uint8Array([1])] },
    ],
    [
      "by parts of no known form",
      extension(2, "app", "Point", [1]),
      { lc: 2, type: "extension", value: [2, encode(["app", "Point", [1]])] },
    ],
  ])("%s show what they are made of, and are kept", (_, python, expected) => {
    const value = read(python);
    deepStrictEqual(value, expected);
    deepStrictEqual(serde.loads(...serde.dumps({ value })), { value: expected });
  });

  it("inside of a message are written as Python makes them again", () => {
    const artifact = extension(0, "uuid", "UUID", "07");
    const kwargs = { content: "x", tool_call_id: "1", artifact };
    const message = read(extension(5, "langchain_core.messages.tool", "ToolMessage", kwargs));
    const expected = record(["uuid", "UUID"], { args: ["07"] });
    expect(again(message)).toMatchObject({ kwargs: { artifact: expected } });
  });

  it("are told from user data that looks like them", () => {
    const lookalike = record(["os", "system"], { args: ["exit 1"] });
    expect(again(read(lookalike))).toMatchObject({ lc: 2, type: "escaped" });
    expect(again({ lookalike })).toMatchObject({ lookalike: { lc: 2, type: "escaped" } });
    deepStrictEqual(serde.loads(...serde.dumps(lookalike)), lookalike);
  });
});

describe("user data of Python's", () => {
  it.each([
    { lc: 2, type: "number", value: "NaN" },
    { lc: 2, type: "undefined" },
    { lc: 2, type: "delta_snapshot", value: [1] },
    { lc: 2, type: "escaped", value: [["lc", 2]] },
  ])(
    "that looks like a record of JavaScript's of type $type stays data, there and back",
    (data) => {
      deepStrictEqual(read(data), data);
      deepStrictEqual(read([data]), [data]);
      deepStrictEqual(serde.loads(...serde.dumps(read(data))), data);
    },
  );

  it.each([
    [{ lc: 2, type: "bigint", value: "12345678901234567890123" }, 12345678901234567890123n],
    [{ lc: 2, type: "date", value: "2027-01-01T00:00:00.000Z" }, new Date(Date.UTC(2027, 0))],
    [{ lc: 2, type: "binary", value: ["Int8Array", "AQ=="] }, new Int8Array([1])],
    [{ lc: 2, type: "constructor", id: ["RegExp"], method: null, args: ["a", ""] }, /a/],
  ])("that looks like %j is read as that value, as the document says", (data, value) => {
    deepStrictEqual(read(data), value);
  });

  it("that looks like a message stays data, there and back", () => {
    const value = { stored: JSON.parse(JSON.stringify(new AIMessage("x"))), lc: 1 };
    deepStrictEqual(read(value), value);
    deepStrictEqual(serde.loads(...serde.dumps(read(value))), value);
  });
});

describe("datetimes", () => {
  const iso = (date: string) => read(extension(3, "datetime", "datetime", date, "fromisoformat"));

  it.each([
    ["2026-11-29T12:30:15.123456+00:00", "2026-11-29T12:30:15.123Z"],
    ["2026-01-02T00:00:00-05:30", "2026-01-02T05:30:00.000Z"],
    ["2026-01-02T00:00:00+01:00:30.000001", "2026-01-01T22:59:30.000Z"],
    ["2026-07-08T09:10:11", "2026-07-08T09:10:11.000Z"],
    ["0001-01-01T00:00:00", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999Z"],
  ])("%s is a date, and is written as it was", (python, javascript) => {
    const date = iso(python);
    deepStrictEqual(date, new Date(javascript));
    const written = record(["datetime", "datetime"], { method: "fromisoformat", args: [python] });
    deepStrictEqual(again([date]), [written]);
    const reread = serde.loads(...serde.dumps([date]));
    deepStrictEqual(reread, [date]);
    deepStrictEqual(again(reread), [written]);
  });

  it("that a date has all of are written as dates", () => {
    deepStrictEqual(again(iso("2026-01-02T03:04:05.678000+00:00")), {
      lc: 2,
      type: "date",
      value: "2026-01-02T03:04:05.678Z",
    });
  });

  it("that are changed are written as dates", () => {
    const date = iso("2026-07-08T09:10:11.000012") as Date;
    date.setUTCFullYear(2027);
    deepStrictEqual(again(date), { lc: 2, type: "date", value: "2027-07-08T09:10:11.000Z" });
  });

  it.each(["2026-02-30T00:00:00", "2026-01-01", "2026-01-01T25:00:00", "2026-01-01T00:00:00Z", ""])(
    "that %j is no text of stay inert",
    (python) => expect(iso(python)).toMatchObject({ lc: 2, args: [python] }),
  );
});

describe("damage", () => {
  const whole = encode({ a: ["text \u00e9", 1.5, 2 ** 40, new Uint8Array(3)], b: extension(1) });

  it("at any place is a typed error that names no value, or gives another value", () => {
    const all = [whole, ...Object.keys(stored).map(bytesOf)];
    for (const bytes of all) {
      for (let at = 0; at < bytes.length; at += 1) {
        for (const flip of [0x01, 0x40, 0x80, 0xff]) {
          const damaged = bytes.map((byte, index) => (index === at ? byte ^ flip : byte));
          try {
            serde.loads("msgpack", damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(SerializationError);
            expect(error).toMatchObject({ code: "unreadable-value" });
          }
        }
      }
    }
  });

  it("that cuts bytes off or adds some is a typed error", () => {
    for (let length = 0; length < whole.length; length += 1) {
      expect(errorOf(whole.subarray(0, length)).code).toBe("unreadable-value");
    }
    expect(errorOf(new Uint8Array([...whole, 0])).code).toBe("unreadable-value");
  });

  it.each([
    ["a text that is not UTF-8", [0xa2, 0xc3, 0x28]],
    ["a long text that is not UTF-8", [0xd9, 0x1a, ...new Array(26).fill(0xff)]],
    ["a list that says to be huge", [0xdd, 0xff, 0xff, 0xff, 0xff, 0x00]],
    ["a map that says to be huge", [0xdf, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00]],
    ["the byte that MessagePack never uses", [0xc1]],
    ["an extension with damage inside", [0xc7, 0x01, 0x07, 0xc1]],
  ])("of %s is a typed error", (_, bytes) => {
    const error = errorOf(new Uint8Array(bytes));
    expect(error.code).toBe("unreadable-value");
    expect(error.message).toContain("MessagePack");
  });

  it("that nests too deeply is a typed error", () => {
    const lists = new Uint8Array(100_000).fill(0x91);
    lists[lists.length - 1] = 0;
    expect(errorOf(lists).message).toContain("too deeply");
    let inside: Uint8Array = encode(0);
    for (let depth = 0; depth < 3000; depth += 1) inside = encode(new ExtData(7, inside));
    expect(errorOf(inside).message).toContain("too deeply");
  });
});
