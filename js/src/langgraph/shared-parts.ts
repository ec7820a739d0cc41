// Lists and maps whose parts lie in the bytes that a page's values share. Each part is parsed once.

import { endsItself, extentOf } from "../serde/extent.js";
import { type Fields, setOwn } from "../serde/records.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import { type Template, templateOf } from "../serde/template.js";

/** A range of bytes; `end` is exclusive. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** An item of a list, or a key or value of a map. */
interface Part extends Template {
  readonly end: number;
}

const LIST = [0x5b, 0x5d] as const;
const MAP = [0x7b, 0x7d] as const;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Returned for a value that can only be read as a whole. */
export const UNREAD = Symbol("unread");

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Makes lists and maps from JSON text, with new objects each time. */
export class SharedParts {
  readonly #serde: JsonPlusSerde;
  readonly #bytes: Uint8Array;
  /** The bytes as text, if all of them are ASCII. */
  readonly #text: string | undefined;
  /** The parsed parts whose end does not depend on what follows, by their first byte's place. */
  readonly #parts = new Map<number, Part>();

  constructor(serde: JsonPlusSerde, bytes: Uint8Array) {
    this.#serde = serde;
    this.#bytes = bytes;
    this.#text = asciiText(bytes);
  }

  /** The value whose text these spans make up, or `UNREAD`. */
  valueOf(spans: readonly Span[]): unknown {
    const cursor = new Cursor(this.#bytes, spans);
    try {
      if (cursor.takes(LIST[0])) return this.#list(cursor);
      return cursor.takes(MAP[0]) ? this.#map(cursor) : UNREAD;
    } catch {
      // The text is not JSON, or a class refuses it. Reading the whole says what is wrong.
      return UNREAD;
    }
  }

  #list(cursor: Cursor): unknown {
    const items: unknown[] = [];
    if (!cursor.takes(LIST[1])) {
      // Numbers are read faster all together.
      if (!endsItself(cursor.byte)) return UNREAD;
      do items.push(this.#make(cursor));
      while (cursor.takes(COMMA));
      if (!cursor.takes(LIST[1])) return UNREAD;
    }
    return cursor.isAtEnd ? items : UNREAD;
  }

  #map(cursor: Cursor): unknown {
    const fields: Fields = {};
    if (!cursor.takes(MAP[1])) {
      do {
        const key = this.#make(cursor);
        // A map with the key `lc` may be a record.
        if (typeof key !== "string" || key === "lc" || !cursor.takes(COLON)) return UNREAD;
        setOwn(fields, key, this.#make(cursor));
      } while (cursor.takes(COMMA));
      if (!cursor.takes(MAP[1])) return UNREAD;
    }
    return cursor.isAtEnd ? fields : UNREAD;
  }

  #make(cursor: Cursor): unknown {
    const part = this.#partAt(cursor);
    cursor.at = part.end;
    return part.make();
  }

  #partAt(cursor: Cursor): Part {
    // Reading `byte` moves the cursor into the next span if this one has ended.
    const remembers = endsItself(cursor.byte);
    const { at, end } = cursor;
    const known = this.#parts.get(at);
    if (known !== undefined && known.end <= end) return known;
    const part = this.#parse(at, end);
    if (remembers) this.#parts.set(at, part);
    return part;
  }

  #parse(begin: number, spanEnd: number): Part {
    const end = extentOf(this.#bytes, begin, spanEnd);
    const text = this.#text?.slice(begin, end) ?? decoder.decode(this.#bytes.subarray(begin, end));
    return { end, make: this.#maker(text) };
  }

  #maker(text: string): () => unknown {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return () => parsed;
    const template = templateOf(parsed);
    return template === undefined ? () => this.#serde.loads("json", text) : () => template.make();
  }
}

/** A place in a sequence of spans. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #spans: readonly Span[];
  #next = 0;
  at = 0;
  /** The end of the current span. */
  end = 0;

  constructor(bytes: Uint8Array, spans: readonly Span[]) {
    this.#bytes = bytes;
    this.#spans = spans;
  }

  /** The next byte; undefined at the end. */
  get byte(): number | undefined {
    return this.isAtEnd ? undefined : this.#bytes[this.at];
  }

  get isAtEnd(): boolean {
    while (this.at === this.end) {
      const span = this.#spans[this.#next];
      if (span === undefined) return true;
      this.#next += 1;
      this.at = span.begin;
      this.end = span.end;
    }
    return false;
  }

  /** Consumes the next byte if it is `byte`; returns whether it did. */
  takes(byte: number): boolean {
    if (this.byte !== byte) return false;
    this.at += 1;
    return true;
  }
}

function asciiText(bytes: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(bytes);
    return text.length === bytes.length ? text : undefined;
  } catch {
    // Some of the bytes are not UTF-8.
    return undefined;
  }
}
