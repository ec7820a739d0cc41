// Serializes a channel's value.

import { type SerializerProtocol, TASKS } from "@langchain/langgraph-checkpoint";

import type { Eventually } from "../platform/maybe-promise.js";
import { SerializationError } from "../serde/errors.js";
import { isSynchronous, placed } from "../serde/payload.js";
import { JsonPlusSerde } from "../serde/serializer.js";
import { type Before, type Written, write } from "./diff.js";
import { writableSends } from "./sends.js";

/** The last parameters of `write`. */
type WriteOptions = [before: Before | undefined, immutable: boolean, bytesMax: number];

/** Serializes what is new in the value of a channel. Warnings and errors name the channel. */
export function writeChannel(
  serde: SerializerProtocol,
  channel: string,
  value: unknown,
  ...options: WriteOptions
): Eventually<Written> {
  return placed(serde, [channel], () => {
    if (channel === TASKS && serde instanceof JsonPlusSerde) {
      return writeSends(serde, value, ...options);
    }
    return write(serde, value, ...options);
  });
}

function writeSends(
  serde: JsonPlusSerde,
  sends: unknown,
  ...options: WriteOptions
): Eventually<Written> {
  // A second attempt would come too late: LangGraph changes the value once this returns.
  if (!isSynchronous(serde)) return write(serde, writableSends(serde, sends), ...options);
  try {
    return write(serde, sends, ...options);
  } catch (error) {
    if (!(error instanceof SerializationError)) throw error;
    return write(serde, writableSends(serde, sends), ...options);
  }
}
