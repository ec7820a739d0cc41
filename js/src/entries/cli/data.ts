// Values as data. Nothing is revived: no class of a value is looked up or made.

import { decode, ExtensionCodec } from "@msgpack/msgpack";

/** Types of MessagePack that only a serializer understands are shown by their number. */
class ShownExtensions extends ExtensionCodec {
  readonly #useBigInt64: boolean;

  constructor(useBigInt64: boolean) {
    super();
    this.#useBigInt64 = useBigInt64;
  }

  override decode(data: Uint8Array, type: number): unknown {
    return { $ext: type, data: unpacked(data, this.#useBigInt64) };
  }
}

const decoder = new TextDecoder();

/** A serialized value as data; one of a type that is not known by its size. */
export function asData(kind: string, bytes: Uint8Array): unknown {
  if (kind === "json") return JSON.parse(decoder.decode(bytes));
  return kind === "msgpack" ? unpacked(bytes, true) : { $kind: kind, bytes: bytes.length };
}

/** MessagePack as data. With `useBigInt64`, integers of 64 bits are bigints. */
export function unpacked(data: Uint8Array, useBigInt64 = false): unknown {
  try {
    const extensionCodec = new ShownExtensions(useBigInt64);
    return decode(data, { extensionCodec, useBigInt64 });
  } catch {
    return data;
  }
}
