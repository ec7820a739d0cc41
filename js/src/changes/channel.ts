// A channel's value on its way into the store, in the way of its channel.

import { type SerializerProtocol, TASKS } from "@langchain/langgraph-checkpoint";

import type { Eventually } from "../platform/maybe-promise.js";
import { SerializationError } from "../serde/errors.js";
import { isSynchronous, placed } from "../serde/payload.js";
import { JsonPlusSerde } from "../serde/serializer.js";
import { type Before, type Written, write } from "./diff.js";
import { writableSends } from "./sends.js";

/** What of a value is taken to be unchanged, and how it is remembered: see `write`. */
type Ways = [before: Before | undefined, immutable: boolean, bytesMax: number];

/** Serializes what is new in the value of a channel, which warnings and errors name. */
export function writeChannel(
  serde: SerializerProtocol,
  channel: string,
  value: unknown,
  ...ways: Ways
): Eventually<Written> {
  return placed(serde, [channel], () => {
    if (channel === TASKS && serde instanceof JsonPlusSerde) {
      return writeSends(serde, value, ...ways);
    }
    return write(serde, value, ...ways);
  });
}

function writeSends(serde: JsonPlusSerde, sends: unknown, ...ways: Ways): Eventually<Written> {
  // It cannot be written twice later: LangGraph goes on to change it.
  if (!isSynchronous(serde)) return write(serde, writableSends(serde, sends), ...ways);
  try {
    return write(serde, sends, ...ways);
  } catch (error) {
    if (!(error instanceof SerializationError)) throw error;
    return write(serde, writableSends(serde, sends), ...ways);
  }
}
