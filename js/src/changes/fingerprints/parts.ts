// The fingerprints of the parts of a list or map.

import { note, plainText, type Slot } from "../../serde/plain.js";
import { remake } from "../../serde/remake.js";
import { type Fingerprint, matchAt, matchPrefix } from "./one.js";

/** The slot of a part that cannot be proven. No value equals it, so the part is written again. */
const UNPROVABLE = Symbol("unprovable");

/** The slot of a part that was read and has no fingerprint yet. `fingerprintRead` replaces it. */
const READ = Symbol("read");

/** About the memory of a message's slots, without its strings. */
const READ_BYTES = 440;

/**
 * The fingerprints of all parts. A part that is a primitive, or promised to be immutable, is its
 * own single slot; others have the slots of a fingerprint. All slots are in one list, as proving a
 * list of messages takes about as long as fetching the memory it looks at.
 *
 * When a list or map grows, its fingerprints are appended to those it had. The smaller value goes
 * on to use the same arrays, and only their first places.
 */
export class Fingerprints {
  readonly #immutable: boolean;
  readonly #slots: Slot[];
  /** Where the slots of each part start. */
  readonly #starts: number[];
  readonly #bytes: number[];
  /** Whether a part's text was written from its slots, so that they give the same value. */
  readonly #written: boolean[];

  /** @param immutable Whether all parts are promised never to change. */
  constructor(
    immutable: boolean,
    slots: Slot[] = [],
    starts: number[] = [],
    bytes: number[] = [],
    written: boolean[] = [],
  ) {
    this.#immutable = immutable;
    this.#slots = slots;
    this.#starts = starts;
    this.#bytes = bytes;
    this.#written = written;
  }

  /** About how many bytes of memory a part's fingerprint takes. */
  bytesOf(place: number): number {
    return this.#bytes[place] ?? 0;
  }

  /** Whether a part was read and has no fingerprint yet. */
  isRead(place: number): boolean {
    return this.#first(place) === READ;
  }

  /** How many parts at the beginning match these items, at most `end`. */
  prefix(items: readonly unknown[], end: number): number {
    if (!this.#immutable) return matchPrefix(this.#slots, items, end);
    let count = 0;
    while (count < end && Object.is(this.#slots[count], items[count])) count += 1;
    return count;
  }

  /** Whether the part at a place is proven to be this item. */
  isProven(place: number, item: unknown): boolean {
    const at = this.#starts[place] ?? this.#slots.length;
    return this.#immutable ? Object.is(this.#slots[at], item) : matchAt(this.#slots, at, item);
  }

  /** Adds a part, and returns its text if the same walk could write it. */
  add(item: unknown): string | undefined {
    if (this.#immutable || isPrimitive(item)) {
      this.#addItself(item);
      return plainText(item);
    }
    // The start is stored first: reading the part may run any code, even code that adds parts.
    const place = this.#open(0);
    // The fingerprint and the text come from one walk, as reading the part may change it.
    const noted = note(this.#slots, item);
    if (noted === undefined) {
      this.#slots.push(UNPROVABLE);
    } else {
      this.#bytes[place] = noted.bytes;
      this.#written[place] = noted.text !== undefined;
    }
    return noted?.text;
  }

  /** Adds a part with its fingerprint, or without one if it cannot be proven. */
  addFingerprint(fingerprint: Fingerprint | undefined): void {
    const place = this.#open(fingerprint?.bytes ?? 0);
    this.#written[place] = fingerprint?.isWritten ?? false;
    if (fingerprint === undefined) this.#slots.push(UNPROVABLE);
    else for (const slot of fingerprint.slots) this.#slots.push(slot);
  }

  /** Adds a part that was read. Its fingerprint is taken later. */
  addRead(item: unknown, text: string): void {
    if (this.#immutable || isPrimitive(item)) {
      this.#addItself(item);
    } else {
      this.#open(READ_BYTES + text.length);
      this.#slots.push(READ);
    }
  }

  /** Adds a part with its fingerprint from another value. */
  addKept(from: Fingerprints, place: number): void {
    this.#written[this.#open(from.bytesOf(place))] = from.#written[place] ?? false;
    const end = from.#starts[place + 1] ?? from.#slots.length;
    for (let at = from.#starts[place] ?? end; at < end; at += 1) this.#slots.push(from.#slots[at]);
  }

  /** Removes the last part. */
  removeLast(): void {
    this.#slots.length = this.#starts.pop() ?? 0;
    this.#bytes.pop();
    this.#written.pop();
  }

  /**
   * The fingerprints of the first `length` parts, to add more to: these themselves if they have no
   * more, else a copy.
   */
  toGrow(length: number): Fingerprints {
    const start = this.#starts[length];
    if (start === undefined) return this;
    return new Fingerprints(
      this.#immutable,
      this.#slots.slice(0, start),
      this.#starts.slice(0, length),
      this.#bytes.slice(0, length),
      this.#written.slice(0, length),
    );
  }

  /**
   * Makes a part again from its fingerprint. Undefined if the fingerprint does not give the value
   * that was written, or a class refuses its kwargs: then the part's text has to be read.
   */
  remake(place: number): { readonly item: unknown } | undefined {
    if (this.#written[place]) {
      try {
        return { item: remake(this.#slots, this.#starts[place] ?? 0) };
      } catch {
        return undefined;
      }
    }
    const slot = this.#first(place);
    return isPrimitive(slot) && typeof slot !== "symbol" ? { item: slot } : undefined;
  }

  #first(place: number): Slot {
    return this.#slots[this.#starts[place] ?? this.#slots.length];
  }

  #addItself(item: unknown): void {
    this.#open(0);
    // An immutable part may be any value. It is only compared by identity.
    this.#slots.push(item as Slot);
  }

  /** Begins a part and returns its place. */
  #open(bytes: number): number {
    this.#bytes.push(bytes);
    this.#written.push(false);
    return this.#starts.push(this.#slots.length) - 1;
  }
}

/** Whether a value can never change. A function may: it may have a `toJSON`. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}
