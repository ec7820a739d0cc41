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
      return parsed(bytes);
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

/** What JSON says. Its whole numbers stay exact where the runtime tells their digits. */
function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data), (_, value: unknown, context?: { source?: string }) => {
      const source = context?.source ?? "";
      const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
      return isRounded && /^-?\d+$/.test(source) ? BigInt(source) : value;
    });
  } catch {
    return data;
  }
}

function unpacked(data: Uint8Array): unknown {
  try {
    return decode(data, { extensionCodec, useBigInt64: true });
  } catch {
    return data;
  }
}
