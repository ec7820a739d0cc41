// What a saver knows of the threads it serves.

import type { Before } from "./diff.js";
import { type ChannelHistory, type Histories, historiesBytes } from "./histories.js";
import type { Tracked } from "./value.js";

/** What an entry takes beside what it holds. */
const ENTRY_BYTES = 400;

/** What is stored of a thread and namespace, as the last outcome said. */
export interface Entry {
  /** For the planner. */
  readonly known: Uint8Array;
  /** All values of that checkpoint; undefined where there was no room for them. */
  readonly values: ReadonlyMap<string, Before> | undefined;
}

/** What is held of a thread and namespace; under a key of its own each. */
interface Held {
  readonly threadId: string;
  readonly bytes: number;
  readonly entry?: Entry;
  readonly histories?: Histories;
}

/**
 * Entries, and histories, by thread and namespace, those used last, as many as a number of bytes
 * has room for. They save work and change no outcome, so a lost one is harmless.
 */
export class Cache {
  /** How much there is room for. */
  readonly bytesMax: number;
  // A map keeps the order of insertion: what is unused for longest comes first.
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The entry of a thread and namespace, given as in a config. */
  of(threadId: unknown, checkpointNs: unknown): Entry | undefined {
    return this.#use(keyOf("entry", threadId, checkpointNs))?.entry;
  }

  /** The histories of a thread and namespace, given as in a config. */
  historiesOf(threadId: unknown, checkpointNs: unknown): Histories | undefined {
    return this.#use(keyOf("histories", threadId, checkpointNs))?.histories;
  }

  /** Remembers what an outcome said. */
  remember(
    threadId: string,
    checkpointNs: string,
    known: Uint8Array,
    values: ReadonlyMap<string, Before>,
  ): void {
    const key = keyOf("entry", threadId, checkpointNs);
    const knownBytes = ENTRY_BYTES + known.length;
    let bytes = knownBytes;
    for (const { tracked } of values.values()) bytes += tracked.bytes;
    if (bytes <= this.bytesMax) {
      this.#hold(key, { threadId, bytes, entry: { known, values } });
    } else {
      this.#hold(key, { threadId, bytes: knownBytes, entry: { known, values: undefined } });
    }
  }

  /** Remembers the histories that the planner can go on from, beside those of other channels. */
  rememberHistories(
    threadId: unknown,
    checkpointNs: unknown,
    read: readonly ChannelHistory[],
  ): void {
    const key = keyOf("histories", threadId, checkpointNs);
    const histories = new Map(this.#use(key)?.histories);
    for (const history of read) {
      if (history.known !== undefined) histories.set(history.channel, history);
    }
    if (histories.size === 0) return;
    const bytes = ENTRY_BYTES + historiesBytes(histories);
    this.#hold(key, { threadId: String(threadId), bytes, histories });
  }

  /** Forgets a thread that is deleted. */
  forget(threadId: string): void {
    for (const [key, held] of this.#held) {
      if (held.threadId === String(threadId)) this.#remove(key);
    }
  }

  #use(key: string | undefined): Held | undefined {
    if (key === undefined) return undefined;
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    this.#held.delete(key);
    this.#held.set(key, held);
    return held;
  }

  /** Holds it in place of what the key had, if there is room for it at all. */
  #hold(key: string | undefined, held: Held): void {
    if (key === undefined) return;
    this.#remove(key);
    if (held.bytes > this.bytesMax) return;
    this.#held.set(key, held);
    this.#bytes += held.bytes;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.bytesMax) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#bytes -= held.bytes;
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
export function idOf(id: unknown): string | undefined {
  if (typeof id === "string") return id;
  return typeof id === "number" ? String(id) : undefined;
}

/** The key of a thread and namespace as in a config; nothing for ids that the planner refuses. */
function keyOf(what: string, threadId: unknown, checkpointNs: unknown): string | undefined {
  const [thread, namespace] = [idOf(threadId), idOf(checkpointNs ?? "")];
  if (thread === undefined || namespace === undefined) return undefined;
  return `${what} ${thread.length} ${thread} ${namespace}`;
}
