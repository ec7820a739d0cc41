import {
  AIMessage,
  HumanMessage,
  type MessageContent,
  ToolMessage,
} from "@langchain/core/messages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fingerprint, fingerprintOf } from "../../src/changes/fingerprints/one.js";
import { Fingerprints } from "../../src/changes/fingerprints/parts.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { text } from "../serde/arbitraries.js";
import { mutation, provableValue, trackedValue } from "./arbitraries.js";

const serde = new JsonPlusSerde({ onWarning: () => {} });

/** The text of a value, or the error of writing it. */
function written(value: unknown): string {
  try {
    const [type, bytes] = serde.dumps(value);
    return `${type} ${text(bytes)}`;
  } catch (error) {
    return String(error);
  }
}

function agent(): AIMessage {
  // The class does not declare this field, so only its kwargs have it.
  const extra: object = { extra: 1 };
  return new AIMessage({
    id: "m1",
    content: "I look it up.",
    tool_calls: [{ type: "tool_call", id: "c1", name: "search", args: { days: [1, 2], q: "x" } }],
    response_metadata: { usage: { tokens: 7 } },
    additional_kwargs: { note: { deep: 0 } },
    ...extra,
  });
}

function tryFingerprint(value: unknown): Fingerprint | undefined {
  return fingerprintOf(value)?.fingerprint;
}

/** Whether a value is proven unchanged, as the second part of a list. */
function isUnchanged(fingerprint: Fingerprint, value: unknown): boolean {
  const fingerprints = new Fingerprints(false);
  for (const part of [fingerprintOf(agent())?.fingerprint, fingerprint])
    fingerprints.addFingerprint(part);
  const proven = fingerprints.isProven(1, value);
  expect(fingerprints.prefix([agent(), value], 2) === 2).toBe(proven);
  return proven;
}

function bytesOf({ bytes }: Fingerprint): number {
  return bytes;
}

function takeFingerprint(value: unknown) {
  const fingerprint = tryFingerprint(value);
  if (fingerprint === undefined) throw new Error("the value gave no fingerprint");
  return fingerprint;
}

describe("a value is proven unchanged", () => {
  it("only where it would be written in the same bytes", () => {
    let [proven, changed] = [0, 0];
    fc.assert(
      fc.property(trackedValue, fc.array(mutation, { maxLength: 3 }), (value, mutations) => {
        const before = written(value);
        const fingerprint = tryFingerprint(value);
        for (const { apply } of mutations) apply(value);
        if (fingerprint === undefined) return;
        const after = written(value);
        if (before !== after) changed += 1;
        if (!isUnchanged(fingerprint, value)) return;
        proven += 1;
        expect(after).toBe(before);
      }),
      { numRuns: 20_000, endOnFailure: true },
    );
    expect([proven, changed].map((count) => count > 3_000)).toEqual([true, true]);
  });

  it("while nobody changes it", () => {
    fc.assert(
      fc.property(provableValue, (value) => {
        const fingerprint = takeFingerprint(value);
        expect([isUnchanged(fingerprint, value), isUnchanged(fingerprint, value)]).toEqual([
          true,
          true,
        ]);
      }),
      { numRuns: 3_000 },
    );
  });

  it("where another value of the same content takes its place", () => {
    expect(isUnchanged(takeFingerprint(agent()), agent())).toBe(true);
    expect(isUnchanged(takeFingerprint([{ a: 1 }]), JSON.parse('[{"a":1}]'))).toBe(true);
  });

  it("after it was written and read", () => {
    const message = agent();
    const fingerprint = takeFingerprint(message);
    const read = serde.loads(...serde.dumps(message));
    serde.dumps(message);
    expect(isUnchanged(fingerprint, message)).toBe(true);
    expect(isUnchanged(takeFingerprint(read), read)).toBe(true);
  });
});

type Change<Value> = (value: Value) => void;

describe("a change of a message in place is found:", () => {
  it.each<[string, Change<AIMessage>]>([
    ["a field reassigned", (m) => Object.assign(m, { content: "other" })],
    ["a field emptied", (m) => Object.assign(m, { id: undefined })],
    ["kwargs changed that it has no field of", (m) => Object.assign(m.lc_kwargs, { extra: 2 })],
    ["a nested object changed", (m) => Object.assign(m.tool_calls?.[0]?.args ?? {}, { q: "y" })],
    ["an array spliced", (m) => m.tool_calls?.[0]?.args.days.splice(0, 1)],
    ["an array's item changed", (m) => Object.assign(m.tool_calls?.[0]?.args.days, [9])],
    ["a key added below", (m) => Object.assign(m.additional_kwargs, { more: 1 })],
    ["a key deleted below", (m) => Reflect.deleteProperty(m.additional_kwargs, "note")],
    ["zero made negative", (m) => Object.assign(m.additional_kwargs, { note: { deep: -0 } })],
    ["lc_kwargs added to", (m) => Object.assign(m.lc_kwargs, { name: "n" })],
    ["lc_kwargs deleted from", (m) => Reflect.deleteProperty(m.lc_kwargs, "tool_calls")],
    ["lc_kwargs replaced", (m) => Object.assign(m, { lc_kwargs: { content: "x" } })],
    ["its id's namespace", (m) => m.lc_namespace.push("more")],
    ["its id", (m) => Object.defineProperty(m, "lc_id", { value: ["x"] })],
    ["its constructor", (m) => Object.defineProperty(m, "constructor", { value: HumanMessage })],
    ["its class", (m) => Object.setPrototypeOf(m, HumanMessage.prototype)],
    ["made unserializable", (m) => Object.assign(m, { lc_serializable: false })],
    ["an own toJSON", (m) => Object.defineProperty(m, "toJSON", { value: () => "x" })],
  ])("%s", (_, change) => {
    const message = agent();
    const before = written(message);
    const fingerprint = takeFingerprint(message);
    expect(isUnchanged(fingerprint, message)).toBe(true);
    change(message);
    expect(written(message)).not.toBe(before);
    expect(isUnchanged(fingerprint, message)).toBe(false);
  });
});

describe("a change of plain data in place is found:", () => {
  type Data = { [key: string]: unknown; list: unknown[]; inner: Record<string, unknown> };
  let count = 0;

  it.each<[string, Change<Data>]>([
    ["zero made negative", (d) => Object.assign(d, { zero: -0 })],
    ["a number made NaN", (d) => Object.assign(d, { zero: Number.NaN })],
    ["a missing key made undefined", (d) => Object.assign(d, { missing: undefined })],
    ["undefined made missing", (d) => Reflect.deleteProperty(d.inner, "none")],
    ["undefined made null", (d) => Object.assign(d.inner, { none: null })],
    ["a string made a number", (d) => Object.assign(d.inner, { text: 1 })],
    [
      "keys in another order",
      (d) => {
        const { zero } = d;
        delete d.zero;
        d.zero = zero;
      },
    ],
    ["a key hidden", (d) => Object.defineProperty(d, "zero", { enumerable: false })],
    ["an array emptied", (d) => d.list.splice(0)],
    ["a prototype with a toJSON", (d) => Object.setPrototypeOf(d.inner, { toJSON: () => 1 })],
    ["an own toJSON", (d) => Object.assign(d.inner, { toJSON: () => 1 })],
    ["a hidden toJSON", (d) => Object.defineProperty(d, "toJSON", { value: () => 1 })],
    ["an array's toJSON", (d) => Object.assign(d.list, { toJSON: () => 1 })],
    ["an object made an array", (d) => Object.assign(d, { inner: ["t", undefined] })],
    ["an array made an object", (d) => Object.assign(d, { list: { 0: 1, 1: 2 } })],
    ["data made a record's look-alike", (d) => Object.assign(d, { lc: 2, type: "undefined" })],
    ["data made a Map", (d) => Object.assign(d, { inner: new Map() })],
    ["data made a function", (d) => Object.assign(d, { zero: () => 0 })],
    ["a cycle made", (d) => d.list.push(d)],
    ["a getter of another value", (d) => Object.defineProperty(d, "zero", { get: () => 1 })],
    [
      "a getter that never gives the same",
      (d) => Object.defineProperty(d, "zero", { get: () => (count += 1) }),
    ],
    [
      "a getter that throws",
      (d) =>
        Object.defineProperty(d, "zero", {
          get() {
            throw new Error("mine");
          },
        }),
    ],
  ])("%s", (_, change) => {
    const data: Data = { zero: 0, list: [1, 2], inner: { text: "t", none: undefined }, end: 1 };
    const before = written(data);
    const fingerprint = takeFingerprint(data);
    expect(isUnchanged(fingerprint, data)).toBe(true);
    change(data);
    expect(written(data)).not.toBe(before);
    expect(isUnchanged(fingerprint, data)).toBe(false);
  });

  it("an array that takes the place of an object with its keys and prototype", () => {
    const items = Object.setPrototypeOf(["x"], Object.prototype);
    const fingerprint = takeFingerprint({ at: { 0: "x" } });
    expect(isUnchanged(fingerprint, { at: items })).toBe(false);
  });
});

describe("a value that cannot be proven gives no fingerprint:", () => {
  class Note {
    text = "x";
  }
  class Reminder extends HumanMessage {}
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const branching: unknown[] = [];
  branching.push(branching, branching);
  let deep: unknown = 1;
  for (let depth = 0; depth < 40; depth += 1) deep = { deep };
  const record = { lc: 1, type: "constructor", id: ["x"], kwargs: {} };
  const inert = serde.loads("json", JSON.stringify(record));

  it.each<[string, unknown]>([
    ["a Map", new Map([[1, 2]])],
    ["a Set", new Set([1])],
    ["a Date", new Date(0)],
    ["bytes", new Uint8Array(2)],
    ["a Buffer", Buffer.from("x")],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["an Error", new Error("x")],
    ["a RegExp", /x/],
    ["a boxed string", Object("x")],
    ["an instance of the application's class", new Note()],
    ["a subclass of a message", new Reminder("x")],
    ["an object with a toJSON", { toJSON: () => 1 }],
    ["an array with a toJSON", Object.assign([1], { toJSON: () => 1 })],
    ["a Proxy of an object", new Proxy({ a: 1 }, {})],
    ["a Proxy of an array", new Proxy([1], {})],
    ["a Proxy of a message", new Proxy(new HumanMessage("x"), {})],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a cycle", cycle],
    ["a cycle that branches", branching],
    ["one nested too deeply", deep],
    ["one too large", Array.from({ length: 40_000 }, () => null)],
    [
      "one with too many keys",
      Object.fromEntries(Array.from({ length: 40_000 }, (_, n) => [n, 1])),
    ],
    ["a record's look-alike", { lc: 2, type: "undefined" }],
    ["a record that stayed inert", inert],
    ["a wrapper's look-alike", { __lc_escaped__: { lc: 1 } }],
    ["a message with kwargs of a class", Object.assign(agent(), { lc_kwargs: new Note() })],
  ])("%s, alone, in data and in a message", (_, value) => {
    expect(tryFingerprint(value)).toBeUndefined();
    expect(tryFingerprint({ a: [1, value] })).toBeUndefined();
    const content: MessageContent = "x";
    const artifact: unknown = { inner: value };
    expect(
      tryFingerprint(new ToolMessage({ content, tool_call_id: "c", artifact })),
    ).toBeUndefined();
  });

  it("one whose getter throws", () => {
    const thrower = {
      get a(): never {
        throw new Error("mine");
      },
    };
    expect(tryFingerprint(thrower)).toBeUndefined();
  });

  it("any object while keys are added to every object", () => {
    const fingerprint = takeFingerprint({ a: 1 });
    Object.assign(Object.prototype, { everywhere: 1 });
    try {
      expect(tryFingerprint({ a: 1 })).toBeUndefined();
      expect(isUnchanged(fingerprint, { a: 1 })).toBe(false);
    } finally {
      Reflect.deleteProperty(Object.prototype, "everywhere");
    }
    expect(isUnchanged(fingerprint, { a: 1 })).toBe(true);
  });
});

describe("a fingerprint's bytes", () => {
  it("grow with what it holds", () => {
    const short = bytesOf(takeFingerprint(["x"]));
    expect(bytesOf(takeFingerprint(["x".repeat(1_000)])) - short).toBe(999);
    expect(bytesOf(takeFingerprint([0.5])) - bytesOf(takeFingerprint([1]))).toBe(16);
    expect(bytesOf(takeFingerprint(Array.from({ length: 1_000 }, () => 1)))).toBeGreaterThan(8e3);
  });

  it("count keys that no other object has, and forgetting them costs no proof", () => {
    const dictionary = (start: number) =>
      Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`k${start + index}`, 1]));
    const first = dictionary(0);
    const fingerprint = takeFingerprint(first);
    for (let start = 3_000; start < 15_000; start += 3_000) {
      expect(bytesOf(takeFingerprint(dictionary(start)))).toBeGreaterThan(300_000);
    }
    expect(isUnchanged(fingerprint, first)).toBe(true);
    expect(isUnchanged(takeFingerprint(first), dictionary(0))).toBe(true);
    first.k2999 = 2;
    expect(isUnchanged(fingerprint, first)).toBe(false);
  });
});
