// Finds the parts of a list or map that it had before.

import type { Fingerprints } from "./fingerprints/parts.js";

/** A list's items, or a map's keys and the values under them. */
export interface Parts {
  readonly keys: readonly string[] | undefined;
  readonly items: readonly unknown[];
}

/**
 * The same as remembered, with fingerprints instead of items. Only the first `length` of the keys
 * and fingerprints belong to it.
 */
export interface Proven {
  readonly keys: readonly string[] | undefined;
  readonly fingerprints: Fingerprints;
  readonly length: number;
}

/** How many places ahead a part is searched for, in case parts before it were removed. */
const LOOK_AHEAD = 64;

/** The place of a part that is new or has changed. */
export const FRESH = -1;

/** How many parts at the beginning are unchanged. */
export function samePrefix(before: Proven, now: Parts): number {
  const { keys, items } = now;
  const end = sameKeys(before.keys, keys, Math.min(before.length, items.length));
  return before.fingerprints.prefix(items, end);
}

/** How many keys at the beginning are the same, at most `end`. A list has no keys: `end`. */
function sameKeys(before: Parts["keys"], now: Parts["keys"], end: number): number {
  if (before === undefined || now === undefined) return end;
  let count = 0;
  while (count < end && before[count] === now[count]) count += 1;
  return count;
}

/**
 * For each part its place before, or `FRESH`. Parts are matched from the beginning (the `first`
 * ones are known to match), then from the end, then in order in between. After other changes, as a
 * reordering, some unchanged parts are taken for fresh.
 */
export function align(before: Proven, now: Parts, first: number): Int32Array {
  const matches = (place: number, index: number) =>
    before.keys?.[place] === now.keys?.[index] &&
    before.fingerprints.isProven(place, now.items[index]);
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
