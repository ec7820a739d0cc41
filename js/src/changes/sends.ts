// The Sends of a checkpoint.

import { SerializationError } from "../serde/errors.js";
import { type Fields, isFields } from "../serde/records.js";
import type { JsonPlusSerde } from "../serde/serializer.js";

/**
 * Returns the Sends without the fields of their args that cannot be serialized. LangGraph removes
 * untracked values from the Sends among a task's writes, but not from those that it puts.
 */
export function writableSends(serde: JsonPlusSerde, sends: unknown): unknown {
  if (!Array.isArray(sends)) return sends;
  return sends.map((send: unknown, index) => {
    if (!isFields(send) || send.lg_name !== "Send" || !isFields(send.args)) return send;
    return { ...send, args: writableFields(serde, send.args, index) };
  });
}

function writableFields(serde: JsonPlusSerde, args: Fields, index: number): Fields {
  const writable = Object.keys(args).flatMap((key): [string, unknown][] => {
    try {
      const value = args[key];
      serde.dumps({ [key]: value });
      return [[key, value]];
    } catch (error) {
      if (!(error instanceof SerializationError)) throw error;
      serde.warnLeftOut(error.within([index, "args"]));
      return [];
    }
  });
  return Object.fromEntries(writable);
}
