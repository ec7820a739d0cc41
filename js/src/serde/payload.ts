// Values to payloads and back, through the saver's serializer.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { CheckpointerError, InvalidInputError } from "../errors.js";
import { allReady, type Eventually, isPending } from "../platform/maybe-promise.js";
import { types } from "../platform/runtime.js";
import { type PathStep, SerializationError } from "./errors.js";
import { JsonPlusSerde } from "./serializer.js";

/** A value as the serializer gave it. */
export interface Payload {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** The place of a value among those that are serialized or revived together. */
export type PlaceOf = (index: number) => readonly PathStep[];

const NOWHERE: PlaceOf = () => [];

/**
 * Serializes or revives what is in a place. Warnings and errors name it, and whatever a serializer
 * of the caller's own throws is the cause of an error with a code.
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

/** Whether a value of a channel's is left out, with a warning, instead of serialized. */
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
 * Serializes values. Every value has been handed to the serializer when this returns, since
 * LangGraph goes on to change them; this package's own serializer is done with them by then.
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

async function loadLater(
  serde: SerializerProtocol,
  kind: string,
  bytes: Uint8Array,
): Promise<unknown> {
  // The serializer may give the very bytes, which then are the caller's to change.
  return serde.loadsTyped(kind, new Uint8Array(bytes));
}

function toPayload(typed: readonly [unknown, unknown]): Payload {
  const [kind, bytes] = typed;
  if (typeof kind === "string" && types.isUint8Array(bytes)) return { kind, bytes };
  throw new InvalidInputError(
    "invalid-serializer",
    "the serializer did not give a type tag and bytes; dumpsTyped has to resolve to " +
      "[string, Uint8Array]",
  );
}
