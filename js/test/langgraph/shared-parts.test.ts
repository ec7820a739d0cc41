// Lists and maps that are made from spans of bytes, compared with the same text read as a whole.

import fc from "fast-check";

import { JsonPlusSerde } from "../../src/entries/index.js";
import { SharedParts, type Span, UNREAD } from "../../src/langgraph/shared-parts.js";
import { provableValue } from "../changes/arbitraries.js";
import { anyKeptValue } from "../serde/arbitraries.js";
import { expectAlike } from "../support/graphs.js";
import { messages } from "../support/messages.js";

const serde = new JsonPlusSerde({ onWarning: () => {} });
const encoder = new TextEncoder();

/** Bytes that hold texts, each once, and the spans that make up each value. */
class Shared {
  readonly #bytes: number[] = [];
  readonly #places = new Map<string, Span>();

  spanOf(text: string): Span {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const begin = this.#bytes.length;
    this.#bytes.push(...encoder.encode(text));
    const span = { begin, end: this.#bytes.length };
    this.#places.set(text, span);
    return span;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** The texts that make up a list or a map, some of them in two parts. */
function textsOf(value: readonly unknown[] | object, cutAt: number): string[] {
  const isList = Array.isArray(value);
  const parts = Object.entries(value).map(([key, item]) => {
    const [, bytes] = serde.dumps([item]);
    const text = new TextDecoder().decode(bytes).slice(1, -1);
    return isList ? text : `${JSON.stringify(key)}:${text}`;
  });
  const joined = parts.flatMap((text, at) => {
    const cut = (cutAt * (at + 1)) % (text.length * 4);
    const isPair = /[\ud800-\udbff]/.test(text.charAt(cut - 1));
    const pieces = cut < text.length && !isPair ? [text.slice(0, cut), text.slice(cut)] : [text];
    return at === 0 ? pieces : [",", ...pieces];
  });
  return [isList ? "[" : "{", ...joined, isList ? "]" : "}"];
}

/** The value of a text; `UNREAD` if it cannot be read. */
function read(text: Uint8Array): unknown {
  try {
    return serde.loads("json", text);
  } catch {
    return UNREAD;
  }
}

function textIn(bytes: Uint8Array, spans: readonly Span[]): Uint8Array {
  return Uint8Array.from(spans.flatMap(({ begin, end }) => [...bytes.subarray(begin, end)]));
}

const item = fc.oneof(anyKeptValue, provableValue, fc.constantFrom(...messages.map(([, m]) => m)));
const values = fc.tuple(fc.array(item, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(5)));

/** Values that have parts in common. */
function overlapping(items: readonly unknown[], picks: readonly number[]): unknown[] {
  const picked = picks.map((pick) => items[pick % items.length]);
  const map = Object.fromEntries(picked.map((one, at) => [`key ${at}`, one]));
  return [items, picked, items.slice(1), [...items, ...picked], map, { ...map, more: items }, []];
}

test("values_made_from_spans_are_those_read_from_their_text", () => {
  let made = 0;
  fc.assert(
    fc.property(values, fc.nat(50), ([items, picks], cutAt) => {
      const shared = new Shared();
      const spans = overlapping(items, picks).map((value) => {
        return textsOf(Object(value), cutAt).map((text) => shared.spanOf(text));
      });
      const { bytes } = shared;
      const parts = new SharedParts(serde, bytes);
      for (const one of [...spans, ...spans]) {
        const value = parts.valueOf(one);
        if (value === UNREAD) continue;
        made += 1;
        expectAlike(value, serde.loads("json", textIn(bytes, one)));
      }
    }),
    { numRuns: 300 },
  );
  expect(made).toBeGreaterThan(1_000);
});

test("bytes_that_are_no_text_of_a_value_are_left_to_be_read", () => {
  let refused = 0;
  const damage = fc.tuple(fc.nat(), fc.constantFrom(...'[]{}",:\\0e.x', "\u00ff"));
  fc.assert(
    fc.property(values, fc.array(damage, { minLength: 1, maxLength: 2 }), ([items], changes) => {
      const shared = new Shared();
      const spans = textsOf(items, 3).map((text) => shared.spanOf(text));
      const { bytes } = shared;
      for (const [at, by] of changes) bytes[at % bytes.length] = by.charCodeAt(0);
      const expected = read(textIn(bytes, spans));
      const value = new SharedParts(serde, bytes).valueOf(spans);
      if (expected === UNREAD) {
        refused += 1;
        expect(value).toBe(UNREAD);
      } else if (value !== UNREAD) {
        expectAlike(value, expected);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(refused).toBeGreaterThan(250);
});

test("a_map_that_is_a_record_is_left_to_be_read", () => {
  const shared = new Shared();
  const [, bytes] = serde.dumps(messages[0]?.[1]);
  const spans = [shared.spanOf(new TextDecoder().decode(bytes))];
  expect(new SharedParts(serde, shared.bytes).valueOf(spans)).toBe(UNREAD);
});
