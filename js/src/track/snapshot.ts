/**
 * The proof that a value is unchanged: a flat copy of everything that writing the value reads.
 *
 * A snapshot holds, in the order in which a value is walked, the shape of each object and each
 * primitive; strings are held by reference, not copied. A value that gives all of it again is
 * written in the same bytes, whatever has been done to it meanwhile.
 */
import { types } from "../runtime.js";
import { coreClassOf, kwargOf } from "../serde/classes.js";
import { type Fields, isFields, isObjectPrototypeExtended, WRAPPER_KEY } from "../serde/records.js";
import { LIST, type Shape, type ShapeNode, ShapeTree } from "./shapes.js";

/** The shape of an object or a list, which stands before what it holds, or a primitive. */
type Slot = Shape | string | number | bigint | boolean | null | undefined;

/** An array may have been given a `toJSON`. */
type Items = unknown[] & { toJSON?: unknown };

/** Bounds a snapshot: proving that a larger value is unchanged takes long itself. */
const SLOTS_MAX = 32_768;

/** Values are rarely nested this deep, and a cycle always is. */
const DEPTH_MAX = 32;

/** An array that grows has some room left: this is about what a slot takes. */
const SLOT_BYTES = 10;

const STRING_BYTES = 16;
const SNAPSHOT_BYTES = 64;

/** In place of a number: the value cannot be proven, or has changed. */
const NONE = -1;

const shapes = new ShapeTree();

/** What writing a value has read. */
export class Snapshot {
  readonly slots: readonly Slot[];
  readonly bytes: number;

  constructor(slots: readonly Slot[], bytes: number) {
    this.slots = slots;
    this.bytes = bytes;
  }
}

/**
 * Remembers all that writing a value reads. Undefined where the value cannot be proven unchanged
 * and has to be written every time: where there is anything in it but primitives, plain objects,
 * arrays and LangChain's own messages, or too much of them.
 */
export function takeSnapshot(element: unknown): Snapshot | undefined {
  if (isObjectPrototypeExtended()) return undefined;
  const slots: Slot[] = [];
  const shapeBytesBefore = shapes.bytesMade;
  try {
    const stringBytes = take(slots, element, 0);
    if (stringBytes === NONE) return undefined;
    const slotBytes = SNAPSHOT_BYTES + slots.length * SLOT_BYTES;
    return new Snapshot(slots, slotBytes + stringBytes + shapes.bytesMade - shapeBytesBefore);
  } catch {
    // Reading the value threw; writing it says where.
    return undefined;
  }
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

/** Adds the slots of a value. Gives the bytes of its strings, or `NONE`. */
function take(slots: Slot[], value: unknown, depth: number): number {
  switch (typeof value) {
    case "string":
      slots.push(value);
      return STRING_BYTES + value.length;
    case "object":
      if (value !== null) return takeObject(slots, value, depth);
      slots.push(null);
      return 0;
    case "number":
    case "boolean":
    case "bigint":
    case "undefined":
      slots.push(value);
      return 0;
    default:
      return NONE;
  }
}

function takeObject(slots: Slot[], value: object, depth: number): number {
  if (depth >= DEPTH_MAX || slots.length >= SLOTS_MAX || types.isProxy(value)) return NONE;
  if (Array.isArray(value)) return takeItems(slots, value, depth);
  if (!isFields(value)) return NONE;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null
    ? takeFields(slots, value, prototype, depth)
    : takeMessage(slots, value, depth);
}

function takeItems(slots: Slot[], items: Items, depth: number): number {
  if (items.toJSON !== undefined || items.length > SLOTS_MAX) return NONE;
  slots.push(LIST, items.length);
  let bytes = 0;
  for (let index = 0; index < items.length; index += 1) {
    const itemBytes = take(slots, items[index], depth + 1);
    if (itemBytes === NONE || slots.length > SLOTS_MAX) return NONE;
    bytes += itemBytes;
  }
  return bytes;
}

function takeFields(slots: Slot[], value: Fields, prototype: object | null, depth: number): number {
  if (value.toJSON !== undefined) return NONE;
  const start = slots.push(undefined) - 1;
  let node: ShapeNode = shapes.root(prototype, undefined);
  let bytes = 0;
  for (const key in value) {
    // How a look-alike of a record is written depends on more than what it holds.
    if (key === "lc" || key === WRAPPER_KEY) return NONE;
    node = shapes.after(node, key);
    const fieldBytes = take(slots, value[key], depth + 1);
    if (fieldBytes === NONE || slots.length > SLOTS_MAX) return NONE;
    bytes += fieldBytes;
  }
  slots[start] = shapes.shapeAt(node);
  return bytes;
}

function takeMessage(slots: Slot[], value: Fields, depth: number): number {
  const core = coreClassOf(value);
  if (core === undefined || !core.writes(value) || !core.hasClassId(value)) return NONE;
  const kwargs = value.lc_kwargs;
  if (!isFields(kwargs) || types.isProxy(kwargs)) return NONE;
  if (Object.getPrototypeOf(kwargs) !== Object.prototype) return NONE;
  const start = slots.push(undefined) - 1;
  let node: ShapeNode = shapes.root(Object.getPrototypeOf(value), core);
  let bytes = 0;
  for (const key in kwargs) {
    node = shapes.after(node, key);
    const fieldBytes = take(slots, kwargOf(value, kwargs, key), depth + 1);
    if (fieldBytes === NONE || slots.length > SLOTS_MAX) return NONE;
    bytes += fieldBytes;
  }
  slots[start] = shapes.shapeAt(node);
  return bytes;
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
