import { deepStrictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { anyKeptValue, stock, text } from "./arbitraries.js";

const serde = new JsonPlusSerde();

function roundTrip(value: unknown): unknown {
  return serde.loads(...serde.dumps(value));
}

describe("values outside JSON", () => {
  it.each<[string, unknown, string]>([
    ["NaN", Number.NaN, '{"lc":2,"type":"number","value":"NaN"}'],
    ["Infinity", Number.POSITIVE_INFINITY, '{"lc":2,"type":"number","value":"Infinity"}'],
    ["-Infinity", Number.NEGATIVE_INFINITY, '{"lc":2,"type":"number","value":"-Infinity"}'],
    ["-0", -0, '{"lc":2,"type":"number","value":"-0"}'],
    ["BigInt", -(2n ** 80n), '{"lc":2,"type":"bigint","value":"-1208925819614629174706176"}'],
    ["Date", new Date(1), '{"lc":2,"type":"date","value":"1970-01-01T00:00:00.001Z"}'],
    [
      "Float32Array",
      new Float32Array([1, Number.NaN]),
      '{"lc":2,"type":"binary","value":["Float32Array","AACAPwAAwH8="]}',
    ],
    [
      "DataView",
      new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 2),
      '{"lc":2,"type":"binary","value":["DataView","AgM="]}',
    ],
  ])("%s has a record of its own", (_, value, wire) => {
    for (const place of [value, { nested: [value] }, new Set([value])]) {
      deepStrictEqual(roundTrip(place), place instanceof Set ? new Set([value]) : place);
    }
    expect(text(serde.dumps(value)[1])).toBe(wire);
  });

  it("an invalid Date comes back as one", () => {
    const [type, bytes] = serde.dumps({ at: new Date(Number.NaN) });
    expect(text(bytes)).toBe('{"at":{"lc":2,"type":"date","value":null}}');
    expect(serde.loads(type, bytes)).toStrictEqual({ at: new Date(Number.NaN) });
  });

  it("the stock reader returns the records of this package as inert objects", async () => {
    const records = serde.dumps({
      numbers: [Number.NaN, -0],
      big: 5n,
      at: new Date(0),
      never: new Date(Number.NaN),
      floats: new Float64Array([0.5]),
      escaped: { lc: 2, type: "undefined" },
      message: { lc: 1, type: "constructor", id: ["langchain_core", "messages", "AIMessage"] },
    });
    const [, bytes] = records;
    deepStrictEqual(await stock.loadsTyped(...records), JSON.parse(text(bytes)));
  });

  it("a view keeps only the bytes that it shows", () => {
    const whole = new Int16Array([1, 2, 3, 4]);
    deepStrictEqual(roundTrip([whole.subarray(1, 3)]), [new Int16Array([2, 3])]);
  });

  it("nested bytes are written as base64, and a Buffer comes back as a Uint8Array", () => {
    for (const file of [Buffer.from([0, 255]), Uint8Array.of(0, 255)]) {
      const [type, bytes] = serde.dumps({ file });
      expect(text(bytes)).toBe('{"file":{"lc":2,"type":"binary","value":["Uint8Array","AP8="]}}');
      deepStrictEqual(serde.loads(type, bytes), { file: new Uint8Array([0, 255]) });
    }
  });

  it("nested bytes that LangGraph.js's serializer has written are read", async () => {
    const value = { file: new Uint8Array([0, 255]), files: [new Uint8Array()] };
    deepStrictEqual(serde.loads(...(await stock.dumpsTyped(value))), value);
  });

  it("bytes alone are stored as they are, in a copy", () => {
    const bytes = Buffer.from([1, 2, 3]);
    const [type, stored] = serde.dumps(bytes);
    bytes[0] = 9;
    expect(type).toBe("bytes");
    deepStrictEqual(stored, new Uint8Array([1, 2, 3]));
    deepStrictEqual(serde.loads(type, Buffer.from(stored)), new Uint8Array([1, 2, 3]));
  });

  it("subclasses of Map and Set come back as Map and Set", () => {
    class Registry extends Map<string, number> {}
    class Tags extends Set<string> {}
    deepStrictEqual(roundTrip([new Registry([["a", 1]]), new Tags(["t"])]), [
      new Map([["a", 1]]),
      new Set(["t"]),
    ]);
  });

  it("a DeltaSnapshot keeps what it holds", () => {
    const restored = roundTrip({ channel: new DeltaSnapshot([new Date(0), 1n]) });
    deepStrictEqual(restored, { channel: new DeltaSnapshot([new Date(0), 1n]) });
  });

  it("boxed primitives are the primitives, as in JSON", () => {
    const boxed = [Object(5), Object("s"), Object(true), Object(7n), Object(-0)];
    deepStrictEqual(roundTrip(boxed), [5, "s", true, 7n, -0]);
  });

  it("the fields of a message keep dates, bytes and maps, which its own toJSON loses", () => {
    const artifact = {
      at: new Date(5),
      bytes: new Uint8Array([1, 255]),
      map: new Map([["k", new Set([1n])]]),
      none: undefined,
      nested: [new HumanMessage("inner")],
    };
    const message = new ToolMessage({ content: "done", tool_call_id: "c1", artifact });
    const [restored] = serde.loads(...serde.dumps([message])) as ToolMessage[];
    expect(restored).toBeInstanceOf(ToolMessage);
    deepStrictEqual(restored, message);
  });
});

describe("any value", () => {
  it("comes back equal, and is written again in the same bytes", () => {
    fc.assert(
      fc.property(anyKeptValue, (value) => {
        const [type, bytes] = serde.dumps(value);
        deepStrictEqual(serde.loads(type, bytes), value);
        deepStrictEqual(serde.dumps(serde.loads(type, bytes)), [type, bytes]);
      }),
      { numRuns: 3000 },
    );
  });

  it("comes back equal from the fields of a message", () => {
    fc.assert(
      fc.property(anyKeptValue, anyKeptValue, (first, second) => {
        const message = new ToolMessage({
          content: "x",
          tool_call_id: "c",
          artifact: first,
          additional_kwargs: { second },
        });
        const [type, bytes] = serde.dumps({ message });
        const { message: restored } = serde.loads(type, bytes) as { message: ToolMessage };
        deepStrictEqual(restored.artifact, first);
        deepStrictEqual(restored.additional_kwargs, { second });
        deepStrictEqual(serde.dumps({ message: restored }), [type, bytes]);
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves the value that it writes unchanged", () => {
    fc.assert(
      fc.property(anyKeptValue, (value) => {
        const before = structuredClone(value);
        serde.dumps(value);
        deepStrictEqual(value, before);
      }),
    );
  });

  it("an array's bytes are its elements' bytes, joined", () => {
    fc.assert(
      fc.property(fc.array(anyKeptValue, { maxLength: 6 }), (items) => {
        const json = items.map((item) => text(serde.dumps([item])[1]).slice(1, -1));
        expect(text(serde.dumps(items)[1])).toBe(`[${json.join(",")}]`);
      }),
    );
  });
});
