/**
 * Reads MessagePack as Python's serializer writes it. The package's MessagePack library cannot: it
 * refuses the key `__proto__` and keys that are neither text nor numbers, and it takes malformed
 * UTF-8 for text.
 */
import { type Fields, setOwn } from "../records.js";

/** Makes values of what MessagePack leaves to its users. */
export interface Extensions {
  /**
   * The value of an extension.
   *
   * @param read Unpacks `data`, which may be MessagePack itself.
   */
  extension(code: number, data: Uint8Array, read: () => unknown): unknown;
  /** The value of a map with the key `lc`. */
  record(fields: Fields): unknown;
}

/** The bytes are not one value in MessagePack. */
export class MalformedError extends Error {}

/** Python's serializer nests less deeply. Deeper bytes are refused before the stack ends. */
const DEPTH_MAX = 2048;

/** Texts of at most this many ASCII characters are faster made one by one than by a decoder. */
const SHORT = 24;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The value in MessagePack that these bytes are. A whole number beyond 2^53 is a BigInt, and a map
 * with a key that is not text is a `Map`. Throws `MalformedError`; `RangeError` if the value is
 * nested too deeply.
 */
export function unpack(bytes: Uint8Array, extensions: Extensions): unknown {
  return new Unpacker(bytes, extensions, 0).whole();
}

class Unpacker {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #extensions: Extensions;
  #depth: number;
  #at = 0;

  constructor(bytes: Uint8Array, extensions: Extensions, depth: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#extensions = extensions;
    this.#depth = depth;
  }

  whole(): unknown {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new RangeError("nested too deeply");
    const value = this.#value();
    if (this.#at !== this.#bytes.length) throw new MalformedError();
    return value;
  }

  #value(): unknown {
    const head = this.#view.getUint8(this.#take(1));
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f);
    if (head < 0xa0) return this.#list(head & 0x0f);
    if (head < 0xc0) return this.#text(head & 0x1f);
    return head < 0xe0 ? this.#other(head) : head - 0x100;
  }

  #other(head: number): unknown {
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#length(head - 0xc4));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(head - 0xc7));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (head - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(head - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#length(head - 0xdb));
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(head - 0xdd));
      default:
        return this.#number(head);
    }
  }

  #number(head: number): number | bigint {
    const view = this.#view;
    switch (head) {
      case 0xca:
        return view.getFloat32(this.#take(4));
      case 0xcb:
        return view.getFloat64(this.#take(8));
      case 0xcc:
        return view.getUint8(this.#take(1));
      case 0xcd:
        return view.getUint16(this.#take(2));
      case 0xce:
        return view.getUint32(this.#take(4));
      case 0xcf:
        return exact(view.getBigUint64(this.#take(8)));
      case 0xd0:
        return view.getInt8(this.#take(1));
      case 0xd1:
        return view.getInt16(this.#take(2));
      case 0xd2:
        return view.getInt32(this.#take(4));
      case 0xd3:
        return exact(view.getBigInt64(this.#take(8)));
      default:
        throw new MalformedError();
    }
  }

  /** A length that takes one byte, two or four. */
  #length(power: number): number {
    if (power === 0) return this.#view.getUint8(this.#take(1));
    if (power === 1) return this.#view.getUint16(this.#take(2));
    return this.#view.getUint32(this.#take(4));
  }

  /** Moves on by `count` bytes and returns where they begin. */
  #take(count: number): number {
    const begin = this.#at;
    if (count > this.#bytes.length - begin) throw new MalformedError();
    this.#at = begin + count;
    return begin;
  }

  #binary(length: number): Uint8Array {
    const begin = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(begin, begin + length));
  }

  #text(length: number): string {
    const begin = this.#take(length);
    const text = length <= SHORT ? this.#ascii(begin, length) : undefined;
    if (text !== undefined) return text;
    try {
      return decoder.decode(this.#bytes.subarray(begin, begin + length));
    } catch {
      throw new MalformedError();
    }
  }

  /** A text of ASCII characters; undefined if there are others. */
  #ascii(begin: number, length: number): string | undefined {
    let text = "";
    for (let at = begin; at < begin + length; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      if (byte > 0x7f) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #list(length: number): unknown[] {
    this.#enter(length);
    const items: unknown[] = [];
    for (let index = 0; index < length; index += 1) items.push(this.#value());
    this.#depth -= 1;
    return items;
  }

  #map(length: number): unknown {
    this.#enter(2 * length);
    const keys: unknown[] = [];
    const values: unknown[] = [];
    for (let index = 0; index < length; index += 1) {
      keys.push(this.#value());
      values.push(this.#value());
    }
    this.#depth -= 1;
    const fields: Fields = {};
    for (const [index, key] of keys.entries()) {
      if (typeof key !== "string") return new Map(keys.map((any, at) => [any, values[at]]));
      setOwn(fields, key, values[index]);
    }
    return Object.hasOwn(fields, "lc") ? this.#extensions.record(fields) : fields;
  }

  /** Enters a list or map of this many values, each of which takes a byte or more. */
  #enter(count: number): void {
    if (count > this.#bytes.length - this.#at) throw new MalformedError();
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new RangeError("nested too deeply");
  }

  #extension(length: number): unknown {
    const code = this.#view.getInt8(this.#take(1));
    const begin = this.#take(length);
    const data = this.#bytes.subarray(begin, begin + length);
    const read = () => new Unpacker(data, this.#extensions, this.#depth).whole();
    return this.#extensions.extension(code, data, read);
  }
}

/** A number if that is exact. */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
