// Converts values to payloads and back, with the saver's serializer.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { CheckpointerError, InvalidInputError } from "../errors.js";
import { allReady, type Eventually, isPending } from "../platform/maybe-promise.js";
import { types } from "../platform/runtime.js";
import { type PathStep, SerializationError } from "./errors.js";
import { JsonPlusSerde } from "./serializer.js";

/** A serialized value: its type and bytes. */
export interface Payload {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** The path of a value among those that are serialized or revived together. */
export type PlaceOf = (index: number) => readonly PathStep[];

const NOWHERE: PlaceOf = () => [];

/**
 * Runs a serializer on the value at a path. Warnings and errors name the path. An error that a
 * serializer of the caller's throws becomes the cause of a `serializer-failed`.
 */
export function placed<T>(
  serde: SerializerProtocol,
  place: readonly PathStep[],
  run: () => Eventually<T>,
): Eventually<T> {
  const failed = (thrown: unknown) => {
    throw named(thrown, place);
  };
  try {
    const ran = serde instanceof JsonPlusSerde ? serde.within(place, run) : run();
    return isPending(ran) ? ran.catch(failed) : ran;
  } catch (thrown) {
    return failed(thrown);
  }
}

/** Whether a channel's value is left out, with a warning, because it cannot be stored. */
export function leavesOut(serde: SerializerProtocol, channel: string, value: unknown): boolean {
  return serde instanceof JsonPlusSerde && serde.leavesOut(channel, value);
}

function named(thrown: unknown, place: readonly PathStep[]): CheckpointerError {
  if (thrown instanceof SerializationError) return thrown.within(place);
  if (thrown instanceof CheckpointerError) return thrown;
  const say = (where: string) => `the serializer threw an error at ${where}; see its cause`;
  return new SerializationError("serializer-failed", say, place, { cause: thrown });
}

/**
 * Serializes values. When this returns, every value has been passed to the serializer, as LangGraph
 * may change them afterwards. This package's own serializer has finished by then.
 */
export function dumpAll(
  serde: SerializerProtocol,
  values: readonly unknown[],
  placeOf: PlaceOf = NOWHERE,
): Eventually<Payload[]> {
  return allReady(values, (value, index) => {
    return placed(serde, placeOf(index), () => {
      return isSynchronous(serde) ? toPayload(serde.dumps(value)) : dumpLater(serde, value);
    });
  });
}

/** Revives values. */
export async function loadAll(
  serde: SerializerProtocol,
  payloads: readonly Payload[],
  placeOf: PlaceOf = NOWHERE,
): Promise<unknown[]> {
  return allReady(payloads, ({ kind, bytes }, index) => {
    return placed(serde, placeOf(index), () => {
      if (isSynchronous(serde)) return serde.loads(kind, bytes);
      return loadLater(serde, kind, bytes);
    });
  });
}

/**
 * Whether a serializer can be called synchronously. A subclass that overrides the asynchronous
 * methods has to be called through them.
 */
export function isSynchronous(serde: SerializerProtocol): serde is JsonPlusSerde {
  return (
    serde instanceof JsonPlusSerde &&
    serde.dumpsTyped === JsonPlusSerde.prototype.dumpsTyped &&
    serde.loadsTyped === JsonPlusSerde.prototype.loadsTyped
  );
}

/**
 * Whether a serializer reads and writes lists and maps part by part. One that overrides how whole
 * values are written, for example to encrypt them, has to get the whole.
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
  // The serializer may return the value's own bytes, which the caller may change. So it gets a
  // copy, and what it returns is copied too.
  const own = types.isUint8Array(value) ? Uint8Array.prototype.slice.call(value) : value;
  const { kind, bytes } = toPayload(await serde.dumpsTyped(own));
  return { kind, bytes: new Uint8Array(bytes) };
}

async function loadLater(
  serde: SerializerProtocol,
  kind: string,
  bytes: Uint8Array,
): Promise<unknown> {
  // The serializer may return these very bytes, and the caller may change them.
  return serde.loadsTyped(kind, new Uint8Array(bytes));
}

function toPayload(typed: unknown): Payload {
  const [kind, bytes] = Array.isArray(typed) ? typed : [];
  if (typeof kind === "string" && types.isUint8Array(bytes)) return { kind, bytes };
  throw new InvalidInputError(
    "invalid-serializer",
    "the serializer did not give a type tag and bytes; dumpsTyped has to resolve to " +
      "[string, Uint8Array]",
  );
}
