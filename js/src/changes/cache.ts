// What a saver remembers of the threads it serves.

import type { Before } from "./diff.js";
import { type ChannelHistory, type Histories, historiesBytes } from "./histories.js";
import type { Tracked } from "./value.js";

/** The memory of an entry, without what it holds. */
const ENTRY_BYTES = 400;

/** What is stored of a thread and namespace, according to the last outcome. */
export interface Entry {
  /** Bytes for the planner, which say what is stored. */
  readonly known: Uint8Array;
  /** All values of that checkpoint; undefined if there was no room for them. */
  readonly values: ReadonlyMap<string, Before> | undefined;
}

/** An entry or the histories of a thread and namespace. They have separate keys. */
interface Held {
  readonly threadId: string;
  readonly bytes: number;
  readonly entry?: Entry;
  readonly histories?: Histories;
}

/**
 * The cache of a saver: entries and histories by thread and namespace. Above `bytesMax` bytes the
 * least recently used are dropped. They save work and change no outcome, so losing one is harmless.
 */
export class Cache {
  /** The bound of the memory that is used. */
  readonly bytesMax: number;
  // A map keeps the order of insertion, so the least recently used comes first.
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The entry of a thread and namespace, with ids as in a config. */
  of(threadId: unknown, checkpointNs: unknown): Entry | undefined {
    return this.#use(keyOf("entry", threadId, checkpointNs))?.entry;
  }

  /** The histories of a thread and namespace, with ids as in a config. */
  historiesOf(threadId: unknown, checkpointNs: unknown): Histories | undefined {
    return this.#use(keyOf("histories", threadId, checkpointNs))?.histories;
  }

  /** Remembers the outcome of a put or get; without the values, if they need too much memory. */
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

  /** Remembers the histories that the planner can go on from, and keeps those of other channels. */
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

  /**
   * Replaces what the key had, if there is room at all, and drops the oldest ones above the bound.
   */
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

/** Whether an entry has the values, so that they need not be read again. */
export function hasValues(
  entry: Entry | undefined,
): entry is Entry & { values: ReadonlyMap<string, Before> } {
  return entry?.values !== undefined;
}

/** What to remember of the values that the planner says are stored. */
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

/** An id as text; a number by its digits, as the planner has it. Undefined for other types. */
export function idOf(id: unknown): string | undefined {
  if (typeof id === "string") return id;
  return typeof id === "number" ? String(id) : undefined;
}

/** The key of a thread and namespace; undefined for ids that the planner refuses. */
function keyOf(what: string, threadId: unknown, checkpointNs: unknown): string | undefined {
  const [thread, namespace] = [idOf(threadId), idOf(checkpointNs ?? "")];
  if (thread === undefined || namespace === undefined) return undefined;
  return `${what} ${thread.length} ${thread} ${namespace}`;
}
