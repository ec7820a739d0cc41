// Values as data. Nothing is revived: no class of a value is looked up or made.

import { decode, ExtensionCodec } from "@msgpack/msgpack";

/** Types of MessagePack that only a serializer understands are shown by their number. */
class ShownExtensions extends ExtensionCodec {
  override decode(data: Uint8Array, type: number): unknown {
    return { $ext: type, data: unpacked(data) };
  }
}

const extensionCodec = new ShownExtensions();
const decoder = new TextDecoder();

/** A serialized value as data; one of a type that is not known by its size. */
export function asData(kind: string, bytes: Uint8Array): unknown {
  if (kind === "json") return JSON.parse(decoder.decode(bytes));
  return kind === "msgpack" ? unpacked(bytes) : { $kind: kind, bytes: bytes.length };
}

/** MessagePack as data. Integers of 64 bits are bigints. */
export function unpacked(data: Uint8Array): unknown {
  try {
    return decode(data, { extensionCodec, useBigInt64: true });
  } catch {
    return data;
  }
}
