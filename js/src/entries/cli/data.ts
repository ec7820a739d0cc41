// Values as data. Nothing is revived: no class of a value is looked up or made.

import { decode, ExtensionCodec } from "@msgpack/msgpack";

/** How deep extensions may be inside extensions, as in the Rust program. */
const DEPTH_MAX = 1022;

/** Types of MessagePack that only a serializer understands are shown by their number. */
class ShownExtensions extends ExtensionCodec {
  readonly #depth: number;

  constructor(depth: number) {
    super();
    this.#depth = depth;
  }

  override decode(data: Uint8Array, type: number): unknown {
    return { $ext: type, data: unpacked(data, this.#depth - 1) };
  }
}

const decoder = new TextDecoder();

/** A serialized value as data; one that cannot be read by its type and its size. */
export function asData(kind: string, bytes: Uint8Array): unknown {
  if (kind === "msgpack") return unpacked(bytes);
  try {
    if (kind === "json") return JSON.parse(decoder.decode(bytes));
  } catch {
    // What JSON.parse says has a part of the value.
  }
  return { $kind: kind, bytes: bytes.length };
}

/** MessagePack as data. Integers of 64 bits are bigints. */
export function unpacked(data: Uint8Array, depth = DEPTH_MAX): unknown {
  if (depth === 0) return data;
  try {
    return decode(data, { extensionCodec: new ShownExtensions(depth), useBigInt64: true });
  } catch {
    return data;
  }
}
