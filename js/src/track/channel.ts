// A channel's value on its way into the store, in the way of its channel.

import { type SerializerProtocol, TASKS } from "@langchain/langgraph-checkpoint";

import type { Eventually } from "../eventually.js";
import { isSynchronous, placed } from "../payload.js";
import { SerializationError } from "../serde/errors.js";
import { JsonPlusSerde } from "../serde/serializer.js";
import { type Before, type Written, write } from "./edit.js";
import { writableSends } from "./sends.js";

/**
 * Serializes what is new in the value of a channel, which warnings and errors name.
 *
 * @param immutable Whether the parts of the value are promised never to change.
 */
export function writeChannel(
  serde: SerializerProtocol,
  channel: string,
  value: unknown,
  before: Before | undefined,
  immutable: boolean,
): Eventually<Written> {
  return placed(serde, [channel], () => {
    if (channel === TASKS && serde instanceof JsonPlusSerde) {
      return writeSends(serde, value, before, immutable);
    }
    return write(serde, value, before, immutable);
  });
}

function writeSends(
  serde: JsonPlusSerde,
  sends: unknown,
  before: Before | undefined,
  immutable: boolean,
): Eventually<Written> {
  // It cannot be written twice later: LangGraph goes on to change it.
  if (!isSynchronous(serde)) return write(serde, writableSends(serde, sends), before, immutable);
  try {
    return write(serde, sends, before, immutable);
  } catch (error) {
    if (!(error instanceof SerializationError)) throw error;
    return write(serde, writableSends(serde, sends), before, immutable);
  }
}
