// The channel values of a page's tuples. They are spans of bytes that the tuples share.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { type OutcomeOf, referenceToNothing } from "../planner/contract.js";
import { knowsParts, loadAll, placed } from "../serde/payload.js";
import type { StoredTuple } from "./convert.js";
import { SharedParts, UNREAD } from "./shared-parts.js";

type Page = OutcomeOf<"page">["val"];
type StoredValue = StoredTuple["channelValues"][number]["value"];
type SharedPayload = Extract<StoredValue, { tag: "shared" }>["val"];

/** Revives the channel values of a page's tuples. Every tuple gets objects of its own. */
export class SharedValues {
  readonly #serde: SerializerProtocol;
  readonly #bytes: Uint8Array;
  readonly #parts: SharedParts | undefined;

  constructor(serde: SerializerProtocol, { shared, tuples }: Page) {
    this.#serde = serde;
    this.#bytes = shared;
    // A single tuple is read faster as a whole.
    const inParts = tuples.length > 1 && knowsParts(serde);
    this.#parts = inParts ? new SharedParts(serde, shared) : undefined;
  }

  /** The values of a tuple's channels, in the order of its `channelValues`. */
  async of(tuple: StoredTuple): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const { channel, value } of tuple.channelValues) {
      if (value.tag === "unchanged") throw referenceToNothing();
      values.push(
        await placed(this.#serde, [channel], () => {
          return value.tag === "whole" ? this.#load(value.val) : this.#join(value.val);
        }),
      );
    }
    return values;
  }

  #join({ kind, spans }: SharedPayload): unknown {
    const made = kind === "json" && this.#parts !== undefined ? this.#parts.valueOf(spans) : UNREAD;
    if (made !== UNREAD) return made;
    const length = spans.reduce((sum, { begin, end }) => sum + end - begin, 0);
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const { begin, end } of spans) {
      bytes.set(this.#bytes.subarray(begin, end), at);
      at += end - begin;
    }
    return this.#load({ kind, bytes });
  }

  async #load(payload: { kind: string; bytes: Uint8Array }): Promise<unknown> {
    const [value] = await loadAll(this.#serde, [payload]);
    return value;
  }
}
