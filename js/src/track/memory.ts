// What a saver knows of the threads it serves.

import type { Before } from "./edit.js";
import type { Tracked } from "./value.js";

/** What an entry takes beside what it holds. */
const ENTRY_BYTES = 400;

/** What is stored of a thread and namespace, as the last outcome said. */
export interface Entry {
  readonly threadId: string;
  /** For the planner. */
  readonly known: Uint8Array;
  /** All values of that checkpoint; undefined where there was no room for them. */
  readonly values: ReadonlyMap<string, Before> | undefined;
}

/**
 * Entries by thread and namespace, those used last, as many as a number of bytes has room for.
 * They save work and change no outcome, so a lost entry is harmless.
 */
export class Memory {
  readonly #bytesMax: number;
  // A map keeps the order of insertion: the entry unused for longest comes first.
  readonly #entries = new Map<string, Entry & { bytes: number }>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The entry of a thread and namespace, given as in a config. */
  of(threadId: unknown, checkpointNs: unknown): Entry | undefined {
    const [thread, namespace] = [idOf(threadId), idOf(checkpointNs ?? "")];
    if (thread === undefined || namespace === undefined) return undefined;
    const key = keyOf(thread, namespace);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Remembers what an outcome said. */
  remember(
    threadId: string,
    checkpointNs: string,
    known: Uint8Array,
    values: ReadonlyMap<string, Before>,
  ): void {
    const key = keyOf(threadId, checkpointNs);
    this.#remove(key);
    const knownBytes = ENTRY_BYTES + known.length;
    let bytes = knownBytes;
    for (const { tracked } of values.values()) bytes += tracked.bytes;
    if (bytes <= this.#bytesMax) {
      this.#add(key, { threadId, known, values, bytes });
    } else if (knownBytes <= this.#bytesMax) {
      this.#add(key, { threadId, known, values: undefined, bytes: knownBytes });
    }
  }

  /** Forgets a thread that is deleted. */
  forget(threadId: string): void {
    for (const [key, entry] of this.#entries) {
      if (entry.threadId === String(threadId)) this.#remove(key);
    }
  }

  #add(key: string, entry: Entry & { bytes: number }): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** Whether all values of an entry are there, so that they need not be read again. */
export function hasValues(
  entry: Entry | undefined,
): entry is Entry & { values: ReadonlyMap<string, Before> } {
  return entry?.values !== undefined;
}

/** What is to be remembered of the values that the planner says are stored. */
export function toBefore(
  stored: readonly { channel: string; editable: boolean }[],
  written: ReadonlyMap<string, Tracked>,
): Map<string, Before> {
  const before = new Map<string, Before>();
  for (const { channel, editable } of stored) {
    const tracked = written.get(channel);
    if (tracked !== undefined) before.set(channel, { tracked, editable });
  }
  return before;
}

/** A number stands for its digits; the planner refuses those that have others. */
function idOf(id: unknown): string | undefined {
  if (typeof id === "string") return id;
  return typeof id === "number" ? String(id) : undefined;
}

function keyOf(threadId: string, checkpointNs: string): string {
  return `${threadId.length} ${threadId} ${checkpointNs}`;
}
