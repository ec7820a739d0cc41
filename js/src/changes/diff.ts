// The diff of a value: an edit of the stored one.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import type { NewValue, Run } from "../planner/contract.js";
import type { Eventually } from "../platform/maybe-promise.js";
import { whenReady } from "../platform/maybe-promise.js";
import { shapeOf } from "../serde/parts.js";
import { knowsParts } from "../serde/payload.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import { align, FRESH, type Parts, samePrefix } from "./align.js";
import { fingerprintRead } from "./fingerprints/read.js";
import { encodeParts } from "./texts.js";
import { PartsBuilder, type Tracked, type TrackedParts, TrackedWhole, trackNew } from "./value.js";

/** A value that is about to be stored. */
export interface Written {
  /** The value for the planner. */
  readonly value: NewValue;
  /** What to remember once it is stored. */
  readonly tracked: Tracked;
}

/** What is remembered of a channel's stored value. */
export interface Before {
  readonly tracked: Tracked;
  /** Whether the planner accepts an edit of it. */
  readonly editable: boolean;
}

/**
 * Serializes what is new in a value, or all of it if nothing is remembered of it.
 *
 * @param before What is remembered of the stored value.
 * @param immutable Whether the value's parts are promised never to change.
 * @param bytesMax Remember no parts of a value that would take more memory than this.
 */
export function write(
  serde: SerializerProtocol,
  value: unknown,
  before: Before | undefined,
  immutable: boolean,
  bytesMax = Number.POSITIVE_INFINITY,
): Eventually<Written> {
  if (before?.tracked instanceof TrackedWhole) {
    if (Object.is(before.tracked.identity, value)) return unchanged(before.tracked);
  } else if (hasParts(before) && knowsParts(serde)) {
    const written = writeParts(serde, value, before, immutable, bytesMax);
    if (written !== undefined) return written;
  }
  return whenReady(trackNew(serde, value, immutable, bytesMax), (tracked) => {
    const same = before !== undefined && isSameWhole(before.tracked, tracked);
    return same ? unchanged(tracked) : whole(tracked);
  });
}

/** Whether two values, both written as a whole, have the same bytes. */
function isSameWhole(before: Tracked, now: Tracked): boolean {
  if (!(before instanceof TrackedWhole && now instanceof TrackedWhole)) return false;
  const [{ kind, bytes }, other] = [before.payload, now.payload];
  return kind === other.kind && areSameBytes(bytes, other.bytes);
}

function areSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

function hasParts(
  before: Before | undefined,
): before is Before & { readonly tracked: TrackedParts } {
  return before !== undefined && !(before.tracked instanceof TrackedWhole);
}

function whole(tracked: Tracked): Written {
  return { value: { tag: "whole", val: tracked.payload }, tracked };
}

function unchanged(tracked: Tracked): Written {
  return { value: { tag: "unchanged" }, tracked };
}

function writeParts(
  serde: JsonPlusSerde,
  value: unknown,
  { tracked: before, editable }: Before & { readonly tracked: TrackedParts },
  immutable: boolean,
  bytesMax: number,
): Written | undefined {
  const shape = shapeOf(value);
  if (shape !== before.shape) return undefined;
  const builder = new PartsBuilder(serde, shape, Object(value), immutable);
  const { length } = builder.parts.items;
  const runs = new Runs();
  fingerprintRead(before, builder.parts);
  const first = samePrefix(before, builder.parts);
  if (first === before.length) {
    if (first === length) return unchanged(before);
    // The common case: the value has only grown, so its old parts need no further look.
    builder.keepAll(before);
    runs.keep(0, first);
    for (let index = first; index < length; index += 1) {
      if (builder.isTooLarge(bytesMax)) return undefined;
      runs.fresh(builder.write(index));
    }
  } else {
    const places = align(before, builder.parts, first);
    for (let index = 0; index < length; index += 1) {
      const place = places[index] ?? FRESH;
      if (builder.isTooLarge(bytesMax)) return undefined;
      if (place === FRESH) {
        const text = builder.write(index);
        const same = samePlace(before, builder.parts, index, text, runs.next);
        if (same === FRESH) runs.fresh(text);
        else runs.keep(same, 1);
      } else {
        builder.keep(before, place);
        runs.keep(place, 1);
      }
    }
  }
  const tracked = builder.built();
  if (runs.keepsAll(before.length)) return unchanged(tracked);
  if (!editable || runs.keepNothing) return whole(tracked);
  return { value: { tag: "edited", val: runs.done() }, tracked };
}

/**
 * The place before of a part that could not be proven unchanged but has the same text, or `FRESH`.
 */
function samePlace(
  { keys, texts, length }: TrackedParts,
  now: Parts,
  index: number,
  text: string | undefined,
  next: number,
): number {
  if (text === undefined) return FRESH;
  const isSame = (place: number) => {
    return (
      place >= 0 && place < length && texts[place] === text && keys?.[place] === now.keys?.[index]
    );
  };
  const fromEnd = index + length - now.items.length;
  return [next, fromEnd, index].find(isSame) ?? FRESH;
}

/** Collects parts into runs. */
class Runs {
  readonly #runs: Run[] = [];
  #kept: { first: number; count: number } | undefined;
  #fresh: string[] = [];
  keepNothing = true;
  /** The place after the last part that was kept. */
  next = 0;

  keep(first: number, count: number): void {
    if (count === 0) return;
    this.keepNothing = false;
    this.next = first + count;
    if (this.#kept !== undefined && this.#kept.first + this.#kept.count === first) {
      this.#kept.count += count;
      return;
    }
    this.#endFresh();
    this.#kept = { first, count };
    this.#runs.push({ tag: "kept", val: this.#kept });
  }

  /** Adds a new part; undefined for one that JSON leaves out. */
  fresh(text: string | undefined): void {
    if (text === undefined) return;
    this.#kept = undefined;
    this.#fresh.push(text);
  }

  /** Whether the runs are exactly the first `length` parts, in order. */
  keepsAll(length: number): boolean {
    if (this.#fresh.length > 0 || this.#runs.length !== 1) return false;
    return this.#kept?.first === 0 && this.#kept.count === length;
  }

  done(): Run[] {
    this.#endFresh();
    return this.#runs;
  }

  #endFresh(): void {
    if (this.#fresh.length === 0) return;
    this.#runs.push({ tag: "fresh", val: encodeParts("", this.#fresh, "") });
    this.#fresh = [];
  }
}
