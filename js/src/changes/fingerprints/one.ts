/**
 * The fingerprint of a value, by which it is known to be unchanged: a flat copy of everything that
 * writing the value reads.
 *
 * A fingerprint holds, in the order in which a value is walked, the shape of each object and each
 * primitive; strings are held by reference, not copied. A value that gives all of it again is
 * written in the same bytes, whatever has been done to it meanwhile.
 */
import { kwargOf } from "../../serde/classes.js";
import { type Noted, note, type Slot } from "../../serde/plain.js";
import { type Fields, isFields, isObjectPrototypeExtended } from "../../serde/records.js";
import { LIST, NUMBERS, Shape } from "../../serde/shapes.js";

/** An array may have been given a `toJSON`. */
type Items = unknown[] & { toJSON?: unknown };

/** Sentinel place: the value has changed. */
const NONE = -1;

/** What writing a value has read. */
export class Fingerprint {
  readonly slots: readonly Slot[];
  readonly bytes: number;
  /** Whether a text was written of the slots themselves, so that they say what it says. */
  readonly isWritten: boolean;

  constructor(slots: readonly Slot[], { bytes, text }: Noted) {
    this.slots = slots;
    this.bytes = bytes;
    this.isWritten = text !== undefined;
  }
}

/** What is remembered of a value, and its text, where that was found on the way. */
export interface Recorded {
  readonly fingerprint: Fingerprint;
  readonly text: string | undefined;
}

/**
 * Remembers all that writing a value reads. Undefined where the value cannot be proven unchanged
 * and has to be written every time.
 */
export function fingerprintOf(element: unknown): Recorded | undefined {
  const slots: Slot[] = [];
  const noted = note(slots, element);
  return noted && { fingerprint: new Fingerprint(slots, noted), text: noted.text };
}

/**
 * How many of the first values, up to an end, would be written in the very bytes that they were
 * when the slots, of one after the other, were noted.
 */
export function matchPrefix(
  slots: readonly Slot[],
  values: readonly unknown[],
  end: number,
): number {
  let count = 0;
  try {
    for (let at = 0; count < end; count += 1) {
      at = matchWhole(slots, at, values[count]);
      if (at === NONE) break;
    }
  } catch {
    // Reading the value threw; writing it says where.
  }
  return count;
}

/** Whether writing the value gives the very bytes that it gave when the slots were noted. */
export function matchAt(slots: readonly Slot[], at: number, value: unknown): boolean {
  try {
    return matchWhole(slots, at, value) !== NONE;
  } catch {
    return false;
  }
}

function matchWhole(slots: readonly Slot[], at: number, value: unknown): number {
  if (Object.is(slots[at], value)) return at + 1;
  return isObjectPrototypeExtended() ? NONE : matchObject(slots, at, value);
}

/** Compares an object with the slots at a place. Gives the place after them, or `NONE`. */
function matchObject(slots: readonly Slot[], at: number, value: unknown): number {
  const slot = slots[at];
  if (!(slot instanceof Shape)) return NONE;
  if (Array.isArray(value)) {
    if (slot === NUMBERS) return matchNumbers(slots[at + 1], value) ? at + 2 : NONE;
    return slot === LIST ? matchItems(slots, at + 1, value) : NONE;
  }
  if (!isFields(value) || Object.getPrototypeOf(value) !== slot.prototype) return NONE;
  return slot.core === undefined
    ? matchFields(slots, at + 1, value, slot.keys)
    : matchMessage(slots, at + 1, value, slot);
}

function matchItems(slots: readonly Slot[], start: number, items: Items): number {
  if (items.length !== slots[start] || items.toJSON !== undefined) return NONE;
  let at = start + 1;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    at = Object.is(slots[at], item) ? at + 1 : matchObject(slots, at, item);
    if (at === NONE) return NONE;
  }
  return at;
}

function matchNumbers(numbers: Slot, items: Items): boolean {
  if (!(numbers instanceof Float64Array)) return false;
  if (items.length !== numbers.length || items.toJSON !== undefined) return false;
  for (let index = 0; index < items.length; index += 1) {
    if (!Object.is(numbers[index], items[index])) return false;
  }
  return true;
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
    at = Object.is(slots[at], field) ? at + 1 : matchObject(slots, at, field);
    if (at === NONE) return NONE;
  }
  return count === keys.length ? at : NONE;
}

function matchMessage(
  slots: readonly Slot[],
  start: number,
  value: Fields,
  { core, keys }: Shape,
): number {
  const kwargs = core?.plainKwargsOf(value);
  if (kwargs === undefined || Object.getPrototypeOf(kwargs) !== Object.prototype) return NONE;
  let at = start;
  let count = 0;
  for (const key in kwargs) {
    if (key !== keys[count]) return NONE;
    count += 1;
    const field = kwargOf(value, kwargs, key);
    at = Object.is(slots[at], field) ? at + 1 : matchObject(slots, at, field);
    if (at === NONE) return NONE;
  }
  return count === keys.length ? at : NONE;
}
