import { HumanMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SerializationError } from "../../src/serde/errors.js";
import { shapeOf } from "../../src/serde/parts.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { changeableValue, mutation, trackedValue } from "../changes/arbitraries.js";
import { text } from "./arbitraries.js";

type Whole = unknown[] | Record<string, unknown>;

function written(serde: JsonPlusSerde, value: unknown): string {
  return text(serde.dumps(value)[1]);
}

/** Joins the texts of a value's parts; undefined if it has no shape. */
function joined(serde: JsonPlusSerde, value: unknown): string | undefined {
  const shape = shapeOf(value);
  if (shape === undefined) return undefined;
  const whole = value as Whole;
  const texts = Array.isArray(whole)
    ? Array.from({ length: whole.length }, (_, index) =>
        serde.dumpsElement("list", index, whole[index], whole),
      )
    : Object.entries(whole).map(([key, field]) => serde.dumpsElement("map", key, field, whole));
  const kept = texts.filter((part) => part !== undefined);
  return shape === "list" ? `[${kept.join(",")}]` : `{${kept.join(",")}}`;
}

/** The text that an attempt gives, or its error's code and place. */
function outcome(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof SerializationError)) throw error;
    return [error.code, error.path, error.message];
  }
}

describe("a value written as its parts", () => {
  const serde = new JsonPlusSerde({ onWarning: () => {} });
  const strict = new JsonPlusSerde({ strict: true });
  const nothing = fc.constantFrom<unknown>(() => 1, Symbol("s"), undefined);
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom("__proto__", "toJSON", "lc", "2", "1", "\u2028"),
  );
  const part = fc.oneof(changeableValue, trackedValue, nothing);
  const whole = fc.oneof(
    fc.array(part, { maxLength: 6 }),
    fc.array(fc.tuple(key, part), { maxLength: 6 }).map((list) => Object.fromEntries(list)),
  );

  it("is the text of the whole, in every mode, whatever was done to it", () => {
    let shaped = 0;
    fc.assert(
      fc.property(whole, fc.array(mutation, { maxLength: 2 }), (value, mutations) => {
        for (const { apply } of mutations) apply(value);
        for (const by of [serde, strict]) {
          const parts = outcome(() => joined(by, value));
          if (parts === undefined) return;
          shaped += 1;
          const all = outcome(() => written(by, value));
          // If there are several errors, which one is met first depends on the order of the work.
          const met = mutations.length > 0 && Array.isArray(parts) ? [parts[0]] : parts;
          expect(mutations.length > 0 && Array.isArray(all) ? [all[0]] : all).toEqual(met);
        }
      }),
      { numRuns: 4_000, endOnFailure: true },
    );
    expect(shaped).toBeGreaterThan(4_000);
  });

  it("leaves out what the whole leaves out", () => {
    const list = [() => 1, 2, undefined];
    const map = { a: () => 1, b: 2, c: undefined };
    expect(serde.dumpsElement("list", 0, list[0])).toBe("null");
    expect(serde.dumpsElement("map", "a", map.a)).toBeUndefined();
    expect([joined(serde, list), joined(serde, map)]).toEqual([
      written(serde, list),
      written(serde, map),
    ]);
  });

  it("warns of the same places", () => {
    const warningsOf = (write: (by: JsonPlusSerde, value: unknown) => unknown) => {
      const warnings: string[] = [];
      const noisy = new JsonPlusSerde({ onWarning: (message) => warnings.push(message) });
      write(noisy, [{ a: () => 1 }, Symbol("s")]);
      write(noisy, { "a b": () => 1, c: [new HumanMessage({ content: "x", id: "1" })] });
      return warnings;
    };
    expect(warningsOf(joined)).toEqual(warningsOf(written));
    expect(warningsOf(joined)).toHaveLength(3);
  });

  it("names the key that toJSON is given", () => {
    const named = { toJSON: (name: string) => ({ name, type: typeof name }) };
    expect(serde.dumpsElement("list", 3, named)).toBe('{"name":"3","type":"string"}');
    expect(serde.dumpsElement("map", "k", named)).toBe('"k":{"name":"k","type":"string"}');
  });
});

describe("an error in a part has the place it has in the whole:", () => {
  const serde = new JsonPlusSerde({ onWarning: () => {} });
  const list: unknown[] = [1];
  list.push({ list });
  const map: Record<string, unknown> = {};
  map.a = { b: [{ map }] };
  const inner: Record<string, unknown> = {};
  inner.self = inner;
  const message = new HumanMessage({ content: "x", additional_kwargs: { inner } });
  const thrower = {
    toJSON() {
      throw new Error("mine");
    },
  };

  it.each<[string, Whole, string]>([
    ["a cycle through a list", list, "[1].list"],
    ["a cycle through a map", map, "a.b[0].map"],
    ["a cycle inside a part", [0, inner], "[1].self"],
    [
      "a cycle inside a message",
      { messages: [message] },
      "messages[0].additional_kwargs.inner.self",
    ],
    ["a toJSON that throws", { "a b": [thrower] }, '["a b"][0]'],
  ])("%s", (_, whole, path) => {
    const parts = outcome(() => joined(serde, whole));
    expect(parts).toEqual(outcome(() => written(serde, whole)));
    expect(parts).toEqual([expect.any(String), path, expect.any(String)]);
  });

  it("a function with strict", () => {
    const strict = new JsonPlusSerde({ strict: true });
    expect(outcome(() => joined(strict, [[() => 1]]))).toEqual(
      outcome(() => written(strict, [[() => 1]])),
    );
  });

  it("a cycle is told where the whole is not given", () => {
    expect(outcome(() => serde.dumpsElement("map", "a", map.a))).toMatchObject([
      "cyclic-value",
      "a.b[0].map.a",
      expect.any(String),
    ]);
  });
});

describe("a value has the shape of", () => {
  it.each<[string, unknown, string | undefined]>([
    ["a list: an array", [], "list"],
    ["a map: a plain object", { a: 1 }, "map"],
    ["a map: an object without a prototype", Object.create(null), "map"],
    ["a map: a wrapper's look-alike", { __lc_escaped__: 1 }, "map"],
    ["nothing: null", null, undefined],
    ["nothing: a string", "x", undefined],
    ["nothing: a message", new HumanMessage("x"), undefined],
    ["nothing: a Map", new Map(), undefined],
    ["nothing: a Date", new Date(0), undefined],
    ["nothing: bytes", new Uint8Array(1), undefined],
    ["nothing: a record's look-alike", { lc: 2, type: "undefined" }, undefined],
    ["nothing: a Send", { lg_name: "Send", node: "n", args: 1 }, undefined],
    ["nothing: an array with a toJSON", Object.assign([], { toJSON: () => 1 }), undefined],
    ["nothing: an object with a toJSON", { toJSON: () => 1 }, undefined],
  ])("%s", (_, value, shape) => {
    expect(shapeOf(value)).toBe(shape);
  });
});
