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

/** A serialized value as data; bytes of a type that is not known stay bytes. */
export function asData(kind: string, bytes: Uint8Array): unknown {
  switch (kind) {
    case "json":
      return JSON.parse(decoder.decode(bytes));
    case "msgpack":
      return unpacked(bytes);
    case "null":
      return null;
    case "bytes":
    case "bytearray":
      return bytes;
    default:
      return { $kind: kind, data: bytes };
  }
}

function unpacked(data: Uint8Array): unknown {
  try {
    return decode(data, { extensionCodec, useBigInt64: false });
  } catch {
    return data;
  }
}
