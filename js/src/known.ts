/** How many namespaces of threads are remembered. */
const ENTRIES_MAX = 256;

interface Entry {
  readonly threadId: string;
  readonly known: Uint8Array;
}

/**
 * What earlier outcomes said to be stored, handed to the next `put` of the same thread and
 * namespace. It saves statements and changes no outcome, so a lost entry is harmless.
 */
export class Known {
  // A map keeps the order of insertion: the entry unused for longest comes first.
  readonly #entries = new Map<string, Entry>();

  /** The newest that is known of a thread and namespace, given as in a config. */
  of(threadId: unknown, checkpointNs: unknown): Uint8Array | undefined {
    if (typeof threadId !== "string" && typeof threadId !== "number") return undefined;
    const key = keyOf(String(threadId), typeof checkpointNs === "string" ? checkpointNs : "");
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.known;
  }

  /** Remembers what an outcome said. */
  remember(threadId: string, checkpointNs: string, known: Uint8Array): void {
    const key = keyOf(threadId, checkpointNs);
    this.#entries.delete(key);
    this.#entries.set(key, { threadId, known });
    if (this.#entries.size <= ENTRIES_MAX) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Forgets a thread that is deleted. */
  forget(threadId: string): void {
    for (const [key, entry] of this.#entries) {
      if (entry.threadId === String(threadId)) this.#entries.delete(key);
    }
  }
}

function keyOf(threadId: string, checkpointNs: string): string {
  return JSON.stringify([threadId, checkpointNs]);
}
