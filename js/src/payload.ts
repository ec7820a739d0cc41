// Values to payloads and back, through the saver's serializer.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { InvalidInputError } from "./errors.js";
import { allReady, type Eventually } from "./eventually.js";
import { types } from "./runtime.js";
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
  // The serializer may give the very bytes, which then are the caller's to change.
  return Promise.all(
    payloads.map(({ kind, bytes }) => serde.loadsTyped(kind, new Uint8Array(bytes))),
  );
}

/** A subclass that replaced the asynchronous methods is to be asked by these. */
export function isSynchronous(serde: SerializerProtocol): serde is JsonPlusSerde {
  return (
    serde instanceof JsonPlusSerde &&
    serde.dumpsTyped === JsonPlusSerde.prototype.dumpsTyped &&
    serde.loadsTyped === JsonPlusSerde.prototype.loadsTyped
  );
}

/**
 * Whether a serializer reads and writes a list or map as its parts: one that has its own way with
 * the whole, as to encrypt it, must be asked for the whole.
 */
export function knowsParts(serde: SerializerProtocol): serde is JsonPlusSerde {
  const { dumps, dumpsElement, loads } = JsonPlusSerde.prototype;
  return (
    isSynchronous(serde) &&
    serde.dumps === dumps &&
    serde.dumpsElement === dumpsElement &&
    serde.loads === loads
  );
}

async function dumpLater(serde: SerializerProtocol, value: unknown): Promise<Payload> {
  // The serializer may give the very bytes that are the value, or that are in it.
  const own = types.isUint8Array(value) ? Uint8Array.prototype.slice.call(value) : value;
  const { kind, bytes } = toPayload(await serde.dumpsTyped(own));
  return { kind, bytes: new Uint8Array(bytes) };
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
