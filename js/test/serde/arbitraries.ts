import { MemorySaver } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";

fc.configureGlobal({ seed: 20261121, numRuns: 400 });

/** LangGraph.js's own serializer, which its package does not export by name. */
export const stock = new MemorySaver().serde;

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** JSON data without the key that LangGraph.js's reader mistreats. */
export const jsonValue = fc
  .jsonValue()
  .filter((value) => !JSON.stringify(value).includes("__proto__"));

/** Values outside JSON that LangGraph.js's format keeps. */
export const stockValue = fc.letrec<{ node: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    jsonValue,
    fc.constant(undefined),
    fc.constantFrom(/a+b?/giu, /^$/, /\//),
    fc.string().map((message) => new Error(message)),
  ),
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("node"), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom("a", "b c", "d", "9", "type"), tie("node"), {
      noNullPrototype: true,
    }),
    fc.array(tie("node"), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie("node"), tie("node")), { maxLength: 4 }).map((pairs) => new Map(pairs)),
  ),
})).node;

const recordKey = fc.constantFrom(
  "lc",
  "type",
  "id",
  "kwargs",
  "args",
  "method",
  "value",
  "lg_name",
  "__proto__",
  "__lc_escaped__",
  "toJSON",
  "constructor",
  "x",
);

const recordPart = fc.constantFrom<unknown>(
  1,
  2,
  "constructor",
  "undefined",
  "delta_snapshot",
  "secret",
  "not_implemented",
  "number",
  "bigint",
  "date",
  "binary",
  "escaped",
  "NaN",
  "DeltaSnapshot",
  ["Set"],
  ["Map"],
  ["Error"],
  ["Uint8Array"],
  [[1, 2]],
  [[]],
  [["lc", 2]],
  ["langchain_core", "messages", "HumanMessage"],
  { content: "x" },
);

const typedArray = fc.oneof<fc.Arbitrary<unknown>[]>(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => bytes.buffer),
);

function ownEntries(entries: readonly [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

/** Records that readers know, and near misses. */
const recordLookalike = fc.oneof(
  fc.constantFrom<unknown>(
    { lc: 2, type: "undefined" },
    { lc: 2, type: "undefined", extra: true },
    { lc: 2, type: "number", value: "-0" },
    { lc: 2, type: "bigint", value: "12" },
    { lc: 2, type: "date", value: null },
    { lc: 2, type: "date", value: "2026-01-01T00:00:00.000Z" },
    { lc: 2, type: "binary", value: ["Int8Array", "AQI="] },
    { lc: 2, type: "escaped", value: [["lc", 2]] },
    { lc: 2, type: "constructor", id: ["Set"], method: null, args: [[1]], kwargs: {} },
    { lc: 2, type: "constructor", id: ["RegExp"], method: null, args: ["(", ""], kwargs: {} },
    { lc: 1, type: "constructor", id: ["langchain_core", "messages", "AIMessage"], kwargs: {} },
    { lc: 1, type: "secret", id: ["HOME"] },
    { lc: 1, type: "not_implemented", id: ["x"] },
    { __lc_escaped__: { lc: 2, type: "undefined" } },
    { __lc_escaped__: { __lc_escaped__: 5 } },
  ),
  fc
    .array(fc.tuple(recordKey, recordPart), { minLength: 1, maxLength: 5 })
    .map((entries) => ownEntries(entries)),
);

/** Every kind of value that this package promises to keep, with hostile shapes among them. */
export const anyKeptValue = fc.letrec<{ node: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 20 }),
    typedArray,
    recordLookalike,
  ),
  node: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("node"), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), recordKey), fc.oneof(tie("node"), recordPart)), {
        maxLength: 6,
      })
      .map((entries) => ownEntries(entries)),
    fc.array(tie("node"), { maxLength: 3 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie("node"), tie("node")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
})).node;
