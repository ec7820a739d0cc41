// A value said in terms of the one that is stored.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import type { Eventually } from "../eventually.js";
import { whenReady } from "../eventually.js";
import type { NewValue, Run } from "../guest.js";
import { knowsParts } from "../payload.js";
import { shapeOf } from "../serde/parts.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import { align, FRESH, samePrefix } from "./align.js";
import { settle } from "./settle.js";
import { encodeParts } from "./texts.js";
import { PartsBuilder, type Tracked, type TrackedParts, TrackedWhole, trackNew } from "./value.js";

/** A value on its way into the store. */
export interface Written {
  /** What to tell the planner. */
  readonly value: NewValue;
  /** What to remember once it is stored. */
  readonly tracked: Tracked;
}

/** What is remembered of a channel's stored value. */
export interface Before {
  readonly tracked: Tracked;
  /** Whether the planner takes an edit of it. */
  readonly editable: boolean;
}

/**
 * Serializes what is new in a value, or all of it where nothing of it is remembered.
 *
 * @param immutable Whether the parts of the value are promised never to change.
 */
export function write(
  serde: SerializerProtocol,
  value: unknown,
  before: Before | undefined,
  immutable: boolean,
): Eventually<Written> {
  if (before?.tracked instanceof TrackedWhole) {
    if (Object.is(before.tracked.proof, value)) return unchanged(before.tracked);
  } else if (before !== undefined && knowsParts(serde)) {
    const written = writeParts(serde, value, before.tracked, before.editable, immutable);
    if (written !== undefined) return written;
  }
  return whenReady(trackNew(serde, value, immutable), whole);
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
  before: TrackedParts,
  editable: boolean,
  immutable: boolean,
): Written | undefined {
  const shape = shapeOf(value);
  if (shape !== before.shape) return undefined;
  const builder = new PartsBuilder(serde, shape, Object(value), immutable);
  const { length } = builder.parts.items;
  const runs = new Runs();
  settle(before, builder.parts);
  const first = samePrefix(before, builder.parts);
  if (first === before.length) {
    if (first === length) return unchanged(before);
    // The common case, a list that has grown, is spared a look at each part.
    builder.keepAll(before);
    runs.keep(0, first);
    for (let index = first; index < length; index += 1) runs.fresh(builder.write(index));
  } else {
    const places = align(before, builder.parts, first);
    for (let index = 0; index < length; index += 1) {
      const place = places[index] ?? FRESH;
      if (place === FRESH) {
        runs.fresh(builder.write(index));
      } else {
        builder.keep(before, place);
        runs.keep(place, 1);
      }
    }
  }
  const tracked = builder.built();
  if (!editable || runs.keepNothing) return whole(tracked);
  return { value: { tag: "edited", val: runs.done() }, tracked };
}

/** Collects parts that follow each other. */
class Runs {
  readonly #runs: Run[] = [];
  #kept: { first: number; count: number } | undefined;
  #fresh: string[] = [];
  keepNothing = true;

  keep(first: number, count: number): void {
    if (count === 0) return;
    this.keepNothing = false;
    if (this.#kept !== undefined && this.#kept.first + this.#kept.count === first) {
      this.#kept.count += count;
      return;
    }
    this.#endFresh();
    this.#kept = { first, count };
    this.#runs.push({ tag: "kept", val: this.#kept });
  }

  /** A part that is written; nothing for one that JSON leaves out. */
  fresh(text: string | undefined): void {
    if (text === undefined) return;
    this.#kept = undefined;
    this.#fresh.push(text);
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
