/**
 * Writes values of the common kinds in one walk: primitives, plain objects, arrays and LangChain's
 * own messages. The walk can note what it reads, for a fingerprint: a value that gives all of it
 * again is written as the same bytes.
 */
import { types } from "../platform/runtime.js";
import { coreClassOf, kwargOf } from "./classes.js";
import {
  type Fields,
  isFields,
  isObjectPrototypeExtended,
  UNDEFINED_RECORD,
  WRAPPER_KEY,
} from "./records.js";
import { LIST, NUMBERS, type Shape, type ShapeNode, ShapeTree } from "./shapes.js";

/**
 * A primitive, or the shape of an object or list, which is followed by the slots of what it holds.
 */
export type Slot =
  | Shape
  | Float64Array
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined;

/** What was noted of a value, beside its slots: their memory in bytes, and the value's text. */
export interface Noted {
  readonly bytes: number;
  /** The value's text; undefined if this walk cannot write it. */
  readonly text: string | undefined;
}

/** An array may have been given a `toJSON`. */
type Items = unknown[] & { toJSON?: unknown };

/**
 * The bound of the slots of a value. Proving that a larger one is unchanged would itself take long.
 */
const SLOTS_MAX = 32_768;

/** Values are rarely nested this deep. A cycle always is. */
const DEPTH_MAX = 32;

/** About the memory of a slot, with the spare room of a growing array. */
const SLOT_BYTES = 10;

const STRING_BYTES = 16;

/** The memory of a number that is not a small integer, outside of its slot. */
const BOXED_BYTES = 16;

/** Arrays of at least this many numbers are written and compared as one. */
const NUMBERS_MIN = 16;

const NUMBER_BYTES = 8;

const UNDEFINED_TEXT = JSON.stringify(UNDEFINED_RECORD);

/** Characters that JSON escapes or may escape. Of surrogates it escapes only lone ones. */
const RARE = /[^ -\ud7ff]/;

const shapes = new ShapeTree();

/** The text of a value; undefined if it is not of the common kinds. */
export function plainText(value: unknown): string | undefined {
  const walk = new Walk(undefined);
  const text = walk.run(value);
  return walk.isWritten ? text : undefined;
}

/**
 * Adds slots with everything that writing a value reads. Adds none and returns undefined if the
 * value has anything but primitives, plain objects, arrays and LangChain's own messages, or too
 * many of them.
 */
export function note(slots: Slot[], value: unknown): Noted | undefined {
  const start = slots.length;
  const walk = new Walk(slots);
  const shapeBytesBefore = shapes.bytesMade;
  const text = walk.run(value);
  if (text === undefined) {
    slots.length = start;
    return undefined;
  }
  const shapeBytes = shapes.bytesMade - shapeBytesBefore;
  const bytes = (slots.length - start) * SLOT_BYTES + walk.heldBytes + shapeBytes;
  return { bytes, text: walk.isWritten ? text : undefined };
}

/** One walk. Its methods return texts, or undefined if the value is not of the common kinds. */
class Walk {
  readonly #slots: Slot[] | undefined;
  readonly #slotsEnd: number;
  /**
   * Whether the returned texts are valid: some values are noted here but have to be written by the
   * encoder.
   */
  isWritten = true;
  heldBytes = 0;

  constructor(slots: Slot[] | undefined) {
    this.#slots = slots;
    this.#slotsEnd = (slots?.length ?? 0) + SLOTS_MAX;
  }

  run(value: unknown): string | undefined {
    if (isObjectPrototypeExtended()) return undefined;
    try {
      return this.#value(value, 0);
    } catch {
      // Reading the value threw; the encoder will report where.
      return undefined;
    }
  }

  #value(value: unknown, depth: number): string | undefined {
    if (typeof value === "object" && value !== null) return this.#object(value, depth);
    if (typeof value === "function" || typeof value === "symbol") return undefined;
    if (this.#slots !== undefined) {
      this.#slots.push(typeof value === "number" ? unboxed(value) : (value as Slot));
      if (typeof value === "string") this.heldBytes += STRING_BYTES + value.length;
      else if (typeof value === "number" && (value | 0) !== value) this.heldBytes += BOXED_BYTES;
    }
    if (typeof value === "string") return quoted(value);
    if (typeof value === "number") {
      if (Number.isFinite(value) && !Object.is(value, -0)) return `${value}`;
      return this.#unwritten();
    }
    if (value === undefined) return UNDEFINED_TEXT;
    return typeof value === "bigint" ? this.#unwritten() : String(value);
  }

  /** A primitive that needs a record is noted here, and written by the encoder. */
  #unwritten(): string | undefined {
    this.isWritten = false;
    return this.#slots && "";
  }

  #object(value: object, depth: number): string | undefined {
    if (depth >= DEPTH_MAX || this.#isFull || types.isProxy(value)) return undefined;
    if (Array.isArray(value)) return this.#items(value, depth);
    if (!isFields(value)) return undefined;
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === Object.prototype || prototype === null
      ? this.#fields(value, prototype, depth)
      : this.#message(value, depth);
  }

  #items(items: Items, depth: number): string | undefined {
    if (items.toJSON !== undefined) return undefined;
    const numbers = numbersOf(items);
    if (numbers !== undefined) return this.#numbers(numbers);
    if (this.#slots !== undefined) {
      if (items.length > SLOTS_MAX) return undefined;
      this.#slots.push(LIST, items.length);
    }
    let text = "[";
    for (let index = 0; index < items.length; index += 1) {
      const item = this.#value(items[index], depth + 1);
      if (item === undefined || this.#isFull) return undefined;
      text += index === 0 ? item : `,${item}`;
    }
    return `${text}]`;
  }

  #numbers(numbers: Float64Array): string {
    if (this.#slots !== undefined) {
      this.#slots.push(NUMBERS, numbers);
      this.heldBytes += NUMBER_BYTES * numbers.length;
    }
    return `[${numbers.join(",")}]`;
  }

  #fields(value: Fields, prototype: object | null, depth: number): string | undefined {
    if (value.toJSON !== undefined) return undefined;
    const place = this.#begin();
    let node: ShapeNode = shapes.root(prototype, undefined);
    let text = "{";
    for (const key in value) {
      // How an object that looks like a record is written depends on more than its contents.
      if (key === "lc" || key === WRAPPER_KEY) return undefined;
      if (key === "lg_name" && this.#unwritten() === undefined) return undefined;
      node = shapes.after(node, key);
      const field = this.#value(value[key], depth + 1);
      if (field === undefined || this.#isFull) return undefined;
      text += `${node.prefix}${field}`;
    }
    this.#end(place, node);
    return `${text}}`;
  }

  #message(value: Fields, depth: number): string | undefined {
    const core = coreClassOf(value);
    const kwargs = core?.plainKwargsOf(value);
    if (core === undefined || kwargs === undefined || types.isProxy(kwargs)) return undefined;
    if (Object.getPrototypeOf(kwargs) !== Object.prototype) return undefined;
    // JSON.stringify would call a `toJSON` of the kwargs, or of the id's array.
    if ("toJSON" in kwargs || "toJSON" in core.id) this.isWritten = false;
    const place = this.#begin();
    let node: ShapeNode = shapes.root(Object.getPrototypeOf(value), core);
    let text = core.prefix;
    for (const key in kwargs) {
      node = shapes.after(node, key);
      const field = this.#value(kwargOf(value, kwargs, key), depth + 1);
      if (field === undefined || this.#isFull) return undefined;
      if (node.prefix === undefined) this.isWritten = false;
      text += `${node.prefix}${field}`;
    }
    this.#end(place, node);
    return `${text}}}`;
  }

  /** Reserves a slot for the shape of an object. */
  #begin(): number {
    return this.#slots === undefined ? 0 : this.#slots.push(LIST) - 1;
  }

  #end(place: number, node: ShapeNode): void {
    if (this.#slots !== undefined) this.#slots[place] = shapes.shapeAt(node);
  }

  get #isFull(): boolean {
    return this.#slots !== undefined && this.#slots.length > this.#slotsEnd;
  }
}

/** The items of an array of many numbers that JSON can write; undefined for other arrays. */
function numbersOf(items: readonly unknown[]): Float64Array | undefined {
  if (items.length < NUMBERS_MIN || typeof items[0] !== "number") return undefined;
  const numbers = new Float64Array(items.length);
  for (let index = 0; index < numbers.length; index += 1) {
    const item = items[index];
    if (typeof item !== "number" || !Number.isFinite(item) || Object.is(item, -0)) return undefined;
    numbers[index] = item;
  }
  return numbers;
}

/**
 * The same number. A small integer that was stored as a double comes back as an integer, which
 * needs no memory outside of its slot.
 */
function unboxed(value: number): number {
  const integer = value | 0;
  return Object.is(integer, value) ? integer : value;
}

/** As JSON; several times faster if only quotes and backslashes are escaped. */
function quoted(text: string): string {
  if (RARE.test(text)) return JSON.stringify(text);
  let escaped = text;
  if (text.includes("\\")) escaped = escaped.replaceAll("\\", "\\\\");
  if (text.includes('"')) escaped = escaped.replaceAll('"', '\\"');
  return `"${escaped}"`;
}
