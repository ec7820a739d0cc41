// The channel values of a page's tuples, which are put together from bytes they share.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import type { StoredTuple } from "./convert.js";
import { ProtocolError } from "./errors.js";
import { knowsParts, loadAll } from "./payload.js";

type StoredValue = StoredTuple["channelValues"][number]["value"];
type SharedPayload = Extract<StoredValue, { tag: "shared" }>["val"];

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Revives the channel values of a page's tuples, each time as other objects. */
export class SharedValues {
  readonly #serde: SerializerProtocol;
  readonly #bytes: Uint8Array;
  /** The bytes as text, where that has a character for each byte. */
  readonly #text: string | undefined;

  constructor(serde: SerializerProtocol, bytes: Uint8Array) {
    this.#serde = serde;
    this.#bytes = bytes;
    this.#text = asciiText(bytes);
  }

  /** The values of a tuple's channels, in their order. */
  async of(tuple: StoredTuple): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const { value } of tuple.channelValues) {
      if (value.tag === "unchanged") throw referenceToNothing();
      values.push(
        value.tag === "whole" ? await this.#load(value.val) : await this.#join(value.val),
      );
    }
    return values;
  }

  #join({ kind, spans }: SharedPayload): unknown {
    const serde = this.#serde;
    if (this.#text !== undefined && knowsParts(serde)) {
      let text = "";
      for (const { begin, end } of spans) text += this.#text.slice(begin, end);
      return serde.loads(kind, text);
    }
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

/** What the planner must not give where nothing was known. */
export function referenceToNothing(): ProtocolError {
  return new ProtocolError(
    "unexpected-outcome",
    "the planner referred to a value that this package does not have; please report it",
  );
}

function asciiText(bytes: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(bytes);
    return text.length === bytes.length ? text : undefined;
  } catch {
    // Bytes that are no text are among them.
    return undefined;
  }
}
