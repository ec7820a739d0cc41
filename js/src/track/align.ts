// Which parts of a list or map are those it had before.

import { plainText } from "../serde/plain.js";
import { isUnchanged, record, Snapshot } from "./snapshot.js";

/** The proof of a part that can only be written again. */
export const UNPROVABLE = Symbol("unprovable");

/** In place of the proof of a part that was read: it has one once `settle` was called. */
export const READ = Symbol("read");

/**
 * What proves that a part is unchanged: a snapshot of it; or the part itself, where it is a
 * primitive or promised to be immutable; or `UNPROVABLE`, or `READ`, which prove nothing.
 */
export type Proof = unknown;

/** A list's items, or a map's keys and the values under them. */
export interface Parts {
  readonly keys: readonly string[] | undefined;
  readonly items: readonly unknown[];
}

/** The same with a proof in place of each item: so many, the first ones of what is there. */
export interface Proven {
  readonly keys: readonly string[] | undefined;
  readonly proofs: readonly Proof[];
  readonly length: number;
}

/** How many parts that may have been left out are looked at to find one. */
const LOOK_AHEAD = 64;

/** About what the snapshot of a message takes beside its strings. */
const READ_BYTES = 500;

/** The place of a part that was not there before, or has changed. */
export const FRESH = -1;

/** How many parts, from the beginning on, are those it had before. */
export function samePrefix(before: Proven, now: Parts, immutable: boolean): number {
  const { keys, proofs } = before;
  const { keys: keysNow, items } = now;
  const end = sameKeys(keys, keysNow, Math.min(before.length, items.length));
  let count = 0;
  // Loops that do little else, as this is done for each part of each value put.
  if (immutable) {
    while (count < end && Object.is(proofs[count], items[count])) count += 1;
  } else {
    while (count < end && isProven(proofs[count], items[count])) count += 1;
  }
  return count;
}

/** How many of the first keys are the same: all, where there are none. */
function sameKeys(before: Parts["keys"], now: Parts["keys"], end: number): number {
  if (before === undefined || now === undefined) return end;
  let count = 0;
  while (count < end && before[count] === now[count]) count += 1;
  return count;
}

/**
 * For each part its place before, or `FRESH`. Parts are matched from the beginning, where `first`
 * are known to match, from the end, and in order between: where a list or map was changed
 * elsewhere, more is found to be fresh than is.
 */
export function align(before: Proven, now: Parts, first: number, immutable: boolean): Int32Array {
  const same = immutable ? Object.is : isProven;
  const matches = (place: number, index: number) =>
    before.keys?.[place] === now.keys?.[index] && same(before.proofs[place], now.items[index]);
  const places = new Int32Array(now.items.length).fill(FRESH);
  let [end, placesEnd] = [places.length, before.length];
  for (let index = 0; index < first; index += 1) places[index] = index;
  while (end > first && placesEnd > first && matches(placesEnd - 1, end - 1)) {
    end -= 1;
    placesEnd -= 1;
    places[end] = placesEnd;
  }
  let next = first;
  for (let index = first; index < end && next < placesEnd; index += 1) {
    const last = Math.min(placesEnd, next + LOOK_AHEAD);
    for (let place = next; place < last; place += 1) {
      if (!matches(place, index)) continue;
      places[index] = place;
      next = place + 1;
      break;
    }
  }
  return places;
}

/** A part's proof, to be asked later, and the text of its value where that was found on the way. */
export function prove(item: unknown, immutable: boolean): Provable {
  if (immutable || isPrimitive(item)) return { proof: item, text: plainText(item) };
  // What is proven is what the text says: both are of one look at the part, which may change it.
  const recorded = record(item);
  return recorded === undefined
    ? { proof: UNPROVABLE, text: undefined }
    : { proof: recorded.snapshot, text: recorded.text };
}

interface Provable {
  readonly proof: Proof;
  readonly text: string | undefined;
}

/** About how much memory the proof of a part with this text takes, or will take. */
export function proofBytes(text: string, proof: Proof): number {
  if (proof === READ) return READ_BYTES + text.length;
  return proof instanceof Snapshot ? proof.bytes : 0;
}

/** Whether a value is what it is for good. A function may have a `toJSON`. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}

function isProven(proof: Proof, item: unknown): boolean {
  return proof instanceof Snapshot ? isUnchanged(proof, item) : Object.is(proof, item);
}
