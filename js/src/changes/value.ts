// A remembered value: its text, part by part, and the fingerprints of its parts.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { type Eventually, whenReady } from "../platform/maybe-promise.js";
import { partText, shapeOf, type ValueShape } from "../serde/parts.js";
import { dumpAll, knowsParts, loadAll, type Payload } from "../serde/payload.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import type { Parts } from "./align.js";
import { Fingerprints, isPrimitive } from "./fingerprints/parts.js";
import { encodeParts } from "./texts.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The memory of a value, without its text and fingerprints. */
const VALUE_BYTES = 200;
/** The memory of a part, without its text and fingerprint. */
const PART_BYTES = 64;

/** After how many parts each the memory of a value is estimated. */
const PARTS_BETWEEN_LOOKS = 1024;

/** A value that is written as a whole. */
export class TrackedWhole {
  readonly payload: Payload;
  /** The value itself if it is a primitive, else something that no value is. */
  readonly identity: unknown;
  readonly bytes: number;

  constructor(payload: Payload, value: unknown) {
    this.payload = payload;
    // No caller has this object, so it never equals a value.
    this.identity = isPrimitive(value) ? value : payload;
    this.bytes = VALUE_BYTES + payload.bytes.length;
  }
}

/**
 * A list or map, by its parts. A value that grows shares its arrays with the one it was before, so
 * `keys`, `texts` and `fingerprints` may hold more than this value's `length`.
 */
export class TrackedParts {
  readonly shape: ValueShape;
  /** How many parts it has. */
  readonly length: number;
  /** The keys of a map in order; undefined for a list. */
  readonly keys: readonly string[] | undefined;
  /** The text of each part. */
  readonly texts: readonly string[];
  fingerprints: Fingerprints;
  readonly bytes: number;
  /** Whether some parts were read and have no fingerprint yet. */
  isRead = false;

  constructor(
    shape: ValueShape,
    keys: readonly string[] | undefined,
    texts: readonly string[],
    fingerprints: Fingerprints,
    bytes: number,
  ) {
    this.shape = shape;
    this.length = texts.length;
    this.keys = keys;
    this.texts = texts;
    this.fingerprints = fingerprints;
    this.bytes = bytes;
  }

  /** The text of the whole value. */
  get text(): string {
    const [open, close] = this.shape === "list" ? "[]" : "{}";
    return `${open}${this.#ownTexts.join(",")}${close}`;
  }

  get payload(): Payload {
    const [open = "", close = ""] = this.shape === "list" ? "[]" : "{}";
    return { kind: "json", bytes: encodeParts(open, this.#ownTexts, close) };
  }

  get #ownTexts(): readonly string[] {
    return first(this.length, this.texts);
  }
}

/** A value that is stored, or about to be. */
export type Tracked = TrackedWhole | TrackedParts;

/** The parts of a list or map. */
export function partsOf(shape: ValueShape, value: object): Parts {
  if (shape === "list" && Array.isArray(value)) return { keys: undefined, items: value };
  return { keys: Object.keys(value), items: Object.values(value) };
}

/** The text of a part without its key. */
export function valueText(key: string | undefined, text: string): string {
  return key === undefined ? text : text.slice(JSON.stringify(key).length + 1);
}

/**
 * Serializes a value that is not remembered yet: by its parts, or as a whole if its parts would
 * take more than `bytesMax` bytes of memory.
 */
export function trackNew(
  serde: SerializerProtocol,
  value: unknown,
  immutable: boolean,
  bytesMax = Number.POSITIVE_INFINITY,
): Eventually<Tracked> {
  const shape = knowsParts(serde) ? shapeOf(value) : undefined;
  if (knowsParts(serde) && shape !== undefined) {
    const tracked = trackParts(serde, shape, Object(value), immutable, bytesMax);
    if (tracked !== undefined) return tracked;
  }
  return whenReady(dumpAll(serde, [value]), ([payload]) => {
    if (payload === undefined) throw new RangeError("a value has one payload");
    return new TrackedWhole(payload, value);
  });
}

function trackParts(
  serde: JsonPlusSerde,
  shape: ValueShape,
  value: object,
  immutable: boolean,
  bytesMax: number,
): TrackedParts | undefined {
  const builder = new PartsBuilder(serde, shape, value, immutable);
  const { items } = builder.parts;
  for (let index = 0; index < items.length; index += 1) {
    if (builder.isTooLarge(bytesMax)) return undefined;
    builder.write(index);
  }
  return builder.built();
}

/** Builds a list or map from kept parts and new parts. */
export class PartsBuilder {
  readonly parts: Parts;
  readonly #serde: JsonPlusSerde;
  readonly #shape: ValueShape;
  readonly #value: object;
  #keys: string[] = [];
  #texts: string[] = [];
  #fingerprints: Fingerprints;
  #bytes = VALUE_BYTES;

  constructor(serde: JsonPlusSerde, shape: ValueShape, value: object, immutable: boolean) {
    this.#serde = serde;
    this.#shape = shape;
    this.#value = value;
    this.#fingerprints = new Fingerprints(immutable);
    this.parts = partsOf(shape, value);
  }

  /** Writes the part at an index, and returns its text; undefined if JSON leaves the part out. */
  write(index: number): string | undefined {
    const item = this.parts.items[index];
    const key = this.parts.keys?.[index];
    const name = key ?? index;
    // The place is taken first: reading the part may run code that puts another list, which grows
    // from the same arrays.
    const place = this.#begin(key);
    const plain = this.#fingerprints.add(item);
    const text =
      plain === undefined
        ? this.#serde.dumpsElement(this.#shape, name, item, this.#value)
        : partText(this.#shape, name, plain);
    if (text === undefined) this.#removeLast();
    else this.#end(place, text);
    return text;
  }

  /** Whether all parts will take more memory than this, estimated from those written so far. */
  isTooLarge(bytesMax: number): boolean {
    const done = this.#texts.length;
    if (done % PARTS_BETWEEN_LOOKS !== 0) return false;
    const bytes = done === 0 ? PART_BYTES : this.#bytes / done;
    return bytes * this.parts.items.length > bytesMax;
  }

  /** Begins with all parts of the value before. */
  keepAll(before: TrackedParts): void {
    const { length, keys } = before;
    this.#keys = keys === undefined ? [] : toGrow(length, keys);
    this.#texts = toGrow(length, before.texts);
    this.#fingerprints = before.fingerprints.toGrow(length);
    this.#bytes = before.bytes;
  }

  /** Keeps a part of the value before. */
  keep(before: TrackedParts, place: number): void {
    const own = this.#begin(before.keys?.[place]);
    this.#fingerprints.addKept(before.fingerprints, place);
    this.#end(own, before.texts[place] ?? "");
  }

  #begin(key: string | undefined): number {
    if (key !== undefined) this.#keys.push(key);
    return this.#texts.push("") - 1;
  }

  #end(place: number, text: string): void {
    this.#texts[place] = text;
    this.#bytes += PART_BYTES + text.length + this.#fingerprints.bytesOf(place);
  }

  #removeLast(): void {
    if (this.#shape === "map") this.#keys.pop();
    this.#texts.pop();
    this.#fingerprints.removeLast();
  }

  built(): TrackedParts {
    const keys = this.#shape === "map" ? this.#keys : undefined;
    return new TrackedParts(this.#shape, keys, this.#texts, this.#fingerprints, this.#bytes);
  }
}

/** The first `length` elements of a list that may have grown since. */
export function first<T>(length: number, list: readonly T[]): readonly T[] {
  return list.length === length ? list : list.slice(0, length);
}

/**
 * The first `length` elements of a list, to add to. The list itself if it has no more, so that
 * growing copies nothing.
 */
function toGrow<T>(length: number, list: readonly T[]): T[] {
  return first(length, list) as T[];
}

/** A revived value, and what to remember of it. */
export interface Revived {
  readonly value: unknown;
  readonly tracked: Tracked;
}

/**
 * Revives a value that was read.
 *
 * @param lengths The length in bytes of each part of a list or map that an edit may start from;
 *   undefined for other values.
 */
export async function revive(
  serde: SerializerProtocol,
  payload: Payload,
  lengths: Uint32Array | undefined,
  immutable: boolean,
): Promise<Revived> {
  const [value] = await loadAll(serde, [payload]);
  const parts =
    lengths !== undefined && payload.kind === "json" && knowsParts(serde)
      ? trackRead(payload.bytes, lengths, value, immutable)
      : undefined;
  return { value, tracked: parts ?? new TrackedWhole(payload, value) };
}

function trackRead(
  bytes: Uint8Array,
  lengths: Uint32Array,
  value: unknown,
  immutable: boolean,
): TrackedParts | undefined {
  const shape = shapeOf(value);
  if (shape === undefined) return undefined;
  const { keys, items } = partsOf(shape, Object(value));
  if (items.length !== lengths.length) return undefined;
  const texts = cut(bytes, lengths);
  // JavaScript moves keys that are integers to the front.
  const inOrder = (text: string, at: number) => text.startsWith(`${JSON.stringify(keys?.[at])}:`);
  if (keys !== undefined && !texts.every(inOrder)) return undefined;
  const fingerprints = new Fingerprints(immutable);
  let total = VALUE_BYTES;
  for (const [index, text] of texts.entries()) {
    fingerprints.addRead(items[index], text);
    total += PART_BYTES + text.length + fingerprints.bytesOf(index);
  }
  const tracked = new TrackedParts(shape, keys, texts, fingerprints, total);
  tracked.isRead = true;
  return tracked;
}

/**
 * Cuts the text of a list or map into its parts. One byte precedes each part: the bracket or a
 * comma.
 */
function cut(bytes: Uint8Array, lengths: Uint32Array): string[] {
  const texts: string[] = [];
  const text = decoder.decode(bytes);
  const ascii = text.length === bytes.length;
  let begin = 1;
  for (const length of lengths) {
    const end = begin + length;
    texts.push(ascii ? text.slice(begin, end) : decoder.decode(bytes.subarray(begin, end)));
    begin = end + 1;
  }
  return texts;
}
