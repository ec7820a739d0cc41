/**
 * The proof that a value is unchanged: a flat copy of everything that writing the value reads.
 *
 * A snapshot holds, in the order in which a value is walked, the shape of each object and each
 * primitive; strings are held by reference, not copied. A value that gives all of it again is
 * written in the same bytes, whatever has been done to it meanwhile.
 */
import { kwargOf } from "../serde/classes.js";
import { type Noted, noted, type Slot } from "../serde/plain.js";
import { type Fields, isFields, isObjectPrototypeExtended } from "../serde/records.js";
import { LIST, type Shape } from "../serde/shapes.js";

/** An array may have been given a `toJSON`. */
type Items = unknown[] & { toJSON?: unknown };

const SNAPSHOT_BYTES = 64;

/** In place of a place: the value has changed. */
const NONE = -1;

/** What writing a value has read. */
export class Snapshot {
  readonly slots: readonly Slot[];
  readonly bytes: number;
  /** Whether a text was written of the slots themselves, so that they say what it says. */
  readonly isWritten: boolean;

  constructor({ slots, bytes, text }: Noted) {
    this.slots = slots;
    this.bytes = SNAPSHOT_BYTES + bytes;
    this.isWritten = text !== undefined;
  }
}

/** What is remembered of a value, and its text, where that was found on the way. */
export interface Recorded {
  readonly snapshot: Snapshot;
  readonly text: string | undefined;
}

/**
 * Remembers all that writing a value reads. Undefined where the value cannot be proven unchanged
 * and has to be written every time.
 */
export function record(element: unknown): Recorded | undefined {
  const read = noted(element, true);
  return read && { snapshot: new Snapshot(read), text: read.text };
}

/** The same without the text. */
export function takeSnapshot(element: unknown): Snapshot | undefined {
  const read = noted(element, false);
  return read && new Snapshot(read);
}

/** Whether writing the value gives the very bytes that it gave when the snapshot was taken. */
export function isUnchanged(snapshot: Snapshot, element: unknown): boolean {
  if (isObjectPrototypeExtended()) return false;
  try {
    return match(snapshot.slots, 0, element) !== NONE;
  } catch {
    // Reading the value threw; writing it says where.
    return false;
  }
}

/** An estimate of the memory that a snapshot holds, with its strings as Latin-1. */
export function snapshotBytes(snapshot: Snapshot): number {
  return snapshot.bytes;
}

/** Compares a value with the slots at a place. Gives the place after them, or `NONE`. */
function match(slots: readonly Slot[], at: number, value: unknown): number {
  const slot = slots[at];
  if (typeof slot !== "object" || slot === null) return Object.is(slot, value) ? at + 1 : NONE;
  if (typeof value !== "object" || value === null) return NONE;
  if (Array.isArray(value)) return slot === LIST ? matchItems(slots, at + 1, value) : NONE;
  if (!isFields(value) || Object.getPrototypeOf(value) !== slot.prototype) return NONE;
  return slot.core === undefined
    ? matchFields(slots, at + 1, value, slot.keys)
    : matchMessage(slots, at + 1, value, slot);
}

function matchItems(slots: readonly Slot[], start: number, items: Items): number {
  if (items.length !== slots[start] || items.toJSON !== undefined) return NONE;
  let at = start + 1;
  for (let index = 0; index < items.length; index += 1) {
    at = match(slots, at, items[index]);
    if (at === NONE) return NONE;
  }
  return at;
}

function matchFields(
  slots: readonly Slot[],
  start: number,
  value: Fields,
  keys: readonly string[],
): number {
  if (value.toJSON !== undefined) return NONE;
  let at = start;
  let count = 0;
  for (const key in value) {
    if (key !== keys[count]) return NONE;
    count += 1;
    const field = value[key];
    // Most fields are the very string they were; zero is left to the exact comparison.
    if (field === slots[at] && field !== 0) {
      at += 1;
    } else {
      at = match(slots, at, field);
      if (at === NONE) return NONE;
    }
  }
  return count === keys.length ? at : NONE;
}

function matchMessage(
  slots: readonly Slot[],
  start: number,
  value: Fields,
  { core, keys }: Shape,
): number {
  if (core === undefined || !core.writes(value) || !core.hasClassId(value)) return NONE;
  const kwargs = value.lc_kwargs;
  if (!isFields(kwargs) || Object.getPrototypeOf(kwargs) !== Object.prototype) return NONE;
  let at = start;
  let count = 0;
  for (const key in kwargs) {
    if (key !== keys[count]) return NONE;
    count += 1;
    const field = kwargOf(value, kwargs, key);
    if (field === slots[at] && field !== 0) {
      at += 1;
    } else {
      at = match(slots, at, field);
      if (at === NONE) return NONE;
    }
  }
  return count === keys.length ? at : NONE;
}
