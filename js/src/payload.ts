// Values to payloads and back, through the saver's serializer.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { InvalidInputError } from "./errors.js";
import { allReady, type Eventually } from "./eventually.js";
import { JsonPlusSerde } from "./serde/serializer.js";

/** A value as the serializer gave it. */
export interface Payload {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/**
 * Serializes values. Every value has been handed to the serializer when this returns, since
 * LangGraph goes on to change them; this package's own serializer is done with them by then.
 */
export function dumpAll(
  serde: SerializerProtocol,
  values: readonly unknown[],
): Eventually<Payload[]> {
  if (isSynchronous(serde)) return values.map((value) => toPayload(serde.dumps(value)));
  return allReady(values.map((value) => dumpLater(serde, value)));
}

/** Revives values. */
export async function loadAll(
  serde: SerializerProtocol,
  payloads: readonly Payload[],
): Promise<unknown[]> {
  if (isSynchronous(serde)) return payloads.map(({ kind, bytes }) => serde.loads(kind, bytes));
  return Promise.all(payloads.map(({ kind, bytes }) => serde.loadsTyped(kind, bytes)));
}

/** A subclass that replaced the asynchronous methods is to be asked by these. */
export function isSynchronous(serde: SerializerProtocol): serde is JsonPlusSerde {
  return (
    serde instanceof JsonPlusSerde &&
    serde.dumpsTyped === JsonPlusSerde.prototype.dumpsTyped &&
    serde.loadsTyped === JsonPlusSerde.prototype.loadsTyped
  );
}

async function dumpLater(serde: SerializerProtocol, value: unknown): Promise<Payload> {
  return toPayload(await serde.dumpsTyped(value));
}

function toPayload(typed: readonly [unknown, unknown]): Payload {
  const [kind, bytes] = typed;
  if (typeof kind === "string" && bytes instanceof Uint8Array) return { kind, bytes };
  throw new InvalidInputError(
    "invalid-serializer",
    "the serializer did not give a type tag and bytes; dumpsTyped has to resolve to " +
      "[string, Uint8Array]",
  );
}
