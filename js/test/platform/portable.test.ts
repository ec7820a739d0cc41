// The replacements for Node.js's functions in runtimes without them.

import { types } from "node:util";

import {
  fromBase64,
  fromHex,
  portableFromHex,
  portableTypes,
  toBase64,
} from "../../src/platform/runtime.js";

const VALUES: Record<string, unknown> = {
  null: null,
  undefined: undefined,
  number: 1,
  text: "text",
  bigint: 1n,
  symbol: Symbol("s"),
  object: {},
  list: [],
  function: () => 1,
  date: new Date(0),
  map: new Map(),
  weak_map: new WeakMap(),
  set: new Set(),
  pattern: /a/,
  error: new RangeError("e"),
  bytes: new Uint8Array(1),
  clamped_bytes: new Uint8ClampedArray(1),
  node_buffer: Buffer.from("a"),
  view: new DataView(new ArrayBuffer(1)),
  buffer: new ArrayBuffer(1),
  shared_buffer: new SharedArrayBuffer(1),
  boxed_number: Object(1),
  boxed_text: Object("a"),
  boxed_boolean: Object(true),
  boxed_bigint: Object(1n),
  boxed_symbol: Object(Symbol("s")),
  date_without_its_prototype: Object.setPrototypeOf(new Date(0), null),
  map_without_its_prototype: Object.setPrototypeOf(new Map(), null),
  what_only_inherits_from_a_date: Object.create(Date.prototype),
  what_only_inherits_from_a_map: Object.create(Map.prototype),
};

test.each(Object.keys(VALUES))("of_%s_it_says_what_node_says", (name) => {
  const portable = portableTypes();
  for (const [is, ask] of Object.entries(portable)) {
    const expected = Reflect.get(types, is)(VALUES[name]);
    expect((ask as (value: unknown) => boolean)(VALUES[name]), is).toBe(expected);
  }
});

test("base64_is_what_node_makes_of_it_and_no_other_text_is_read", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7919) % 256);
  const text = Buffer.from(bytes).toString("base64");
  expect(toBase64(bytes.subarray(0))).toBe(text);
  expect(fromBase64(text)).toEqual(bytes);
  for (const other of ["a", "====", "YQ", "Y Q==", "YR=="])
    expect(fromBase64(other)).toBeUndefined();
});

test("hexadecimal_digits_are_read_as_node_reads_them", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  const text = Buffer.from(bytes).toString("hex");
  expect(portableFromHex(text)).toEqual(bytes);
  expect(new Uint8Array(fromHex(text))).toEqual(bytes);
  expect(portableFromHex("")).toEqual(new Uint8Array());
});
