// The fingerprints of the parts of a list or map.

import { note, plainText, type Slot } from "../../serde/plain.js";
import { remake } from "../../serde/remake.js";
import { type Fingerprint, matchAt, matchPrefix } from "./one.js";

/** In place of what a part can only be written again for: nothing is ever this. */
const UNPROVABLE = Symbol("unprovable");

/** In place of the slots of a part that was read: they are taken by `fingerprintRead`. */
const READ = Symbol("read");

/** About what the slots of a message take beside its strings. */
const READ_BYTES = 440;

/**
 * What proves of each part that it is unchanged. A part that is a primitive, or promised to be
 * immutable, is a slot itself; others have the slots of a fingerprint. The slots of all parts are
 * in one list, since proving a list of messages takes as long as fetching what it looks at.
 *
 * Fingerprints of a list or map that has grown are those of what it was before, which goes on to
 * have the first ones.
 */
export class Fingerprints {
  readonly #immutable: boolean;
  readonly #slots: Slot[];
  /** Where the slots of each part start. */
  readonly #starts: number[];
  readonly #bytes: number[];
  /** Whether a part's text was written of its slots, so that they say what it says. */
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

  /** About how much memory the proof of a part takes. */
  bytesOf(place: number): number {
    return this.#bytes[place] ?? 0;
  }

  /** Whether a part was read and not proven since. */
  isRead(place: number): boolean {
    return this.#first(place) === READ;
  }

  /** How many parts, from the beginning on, are these items: so many of them at most. */
  prefix(items: readonly unknown[], end: number): number {
    if (!this.#immutable) return matchPrefix(this.#slots, items, end);
    let count = 0;
    while (count < end && Object.is(this.#slots[count], items[count])) count += 1;
    return count;
  }

  /** Whether a part is this item. */
  isProven(place: number, item: unknown): boolean {
    const at = this.#starts[place] ?? this.#slots.length;
    return this.#immutable ? Object.is(this.#slots[at], item) : matchAt(this.#slots, at, item);
  }

  /** Adds a part, and gives its text where that was found on the way. */
  add(item: unknown): string | undefined {
    if (this.#immutable || isPrimitive(item)) {
      this.#addItself(item);
      return plainText(item);
    }
    // From its start on, the rest of the slots is taken: looking at the part may run anything.
    const place = this.#open(0);
    // What is proven is what the text says: both are of one look at the part, which may change it.
    const noted = note(this.#slots, item);
    if (noted === undefined) {
      this.#slots.push(UNPROVABLE);
    } else {
      this.#bytes[place] = noted.bytes;
      this.#written[place] = noted.text !== undefined;
    }
    return noted?.text;
  }

  /** Adds a part of which a fingerprint was taken, or none could be. */
  addFingerprint(fingerprint: Fingerprint | undefined): void {
    const place = this.#open(fingerprint?.bytes ?? 0);
    this.#written[place] = fingerprint?.isWritten ?? false;
    if (fingerprint === undefined) this.#slots.push(UNPROVABLE);
    else for (const slot of fingerprint.slots) this.#slots.push(slot);
  }

  /** Adds a part that was read. */
  addRead(item: unknown, text: string): void {
    if (this.#immutable || isPrimitive(item)) {
      this.#addItself(item);
    } else {
      this.#open(READ_BYTES + text.length);
      this.#slots.push(READ);
    }
  }

  /** Adds a part with the proof that it has elsewhere. */
  addKept(from: Fingerprints, place: number): void {
    this.#written[this.#open(from.bytesOf(place))] = from.#written[place] ?? false;
    const end = from.#starts[place + 1] ?? from.#slots.length;
    for (let at = from.#starts[place] ?? end; at < end; at += 1) this.#slots.push(from.#slots[at]);
  }

  /** Takes the last part away. */
  removeLast(): void {
    this.#slots.length = this.#starts.pop() ?? 0;
    this.#bytes.pop();
    this.#written.pop();
  }

  /** The fingerprints of the first parts, to add to: these, where nobody has yet. */
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
   * A part made again of what its proof holds. Undefined where that does not say what it was
   * written as, or a class refuses its kwargs: then its text has to be read.
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
    // What is immutable may be anything, and is compared with nothing but itself.
    this.#slots.push(item as Slot);
  }

  /** Begins a part, and gives its place. */
  #open(bytes: number): number {
    this.#bytes.push(bytes);
    this.#written.push(false);
    return this.#starts.push(this.#slots.length) - 1;
  }
}

/** Whether a value is what it is for good. A function may have a `toJSON`. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}
