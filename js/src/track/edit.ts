// A value said in terms of the one that is stored.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import type { Eventually } from "../eventually.js";
import { whenReady } from "../eventually.js";
import type { NewValue, Run } from "../guest.js";
import { isSynchronous } from "../payload.js";
import { shapeOf } from "../serde/parts.js";
import type { JsonPlusSerde } from "../serde/serializer.js";
import { align, FRESH } from "./align.js";
import { PartsBuilder, type Tracked, type TrackedParts, TrackedWhole, trackNew } from "./value.js";

const encoder = new TextEncoder();

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
  } else if (before !== undefined && isSynchronous(serde)) {
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
  const places = align(before, builder.parts, immutable);
  const runs = new Runs();
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? FRESH;
    if (place === FRESH) {
      const text = builder.write(index);
      if (text !== undefined) runs.fresh(text);
    } else {
      builder.keep(before, place);
      runs.keep(place);
    }
  }
  const tracked = builder.built();
  if (runs.areAll(before.texts.length)) return unchanged(before);
  if (!editable || runs.keepNothing) return whole(tracked);
  return { value: { tag: "edited", val: runs.done() }, tracked };
}

/** Collects parts that follow each other. */
class Runs {
  readonly #runs: Run[] = [];
  #kept: { first: number; count: number } | undefined;
  #fresh: string[] = [];
  keepNothing = true;

  keep(place: number): void {
    this.keepNothing = false;
    if (this.#kept !== undefined && this.#kept.first + this.#kept.count === place) {
      this.#kept.count += 1;
      return;
    }
    this.#endFresh();
    this.#kept = { first: place, count: 1 };
    this.#runs.push({ tag: "kept", val: this.#kept });
  }

  fresh(text: string): void {
    this.#kept = undefined;
    this.#fresh.push(text);
  }

  /** Whether they are all of so many parts, and nothing else. */
  areAll(count: number): boolean {
    const whole = this.#kept?.first === 0 && this.#kept.count === count;
    return this.#runs.length === 1 && whole && this.#fresh.length === 0;
  }

  done(): Run[] {
    this.#endFresh();
    return this.#runs;
  }

  #endFresh(): void {
    if (this.#fresh.length === 0) return;
    this.#runs.push({ tag: "fresh", val: encoder.encode(this.#fresh.join(",")) });
    this.#fresh = [];
  }
}
