// Storage adapters that answer when a test says so.

import type { Batch, RowSet, StorageAdapter } from "../../src/entries/index.js";

/** Executes batches at once. While told to, it holds the answers back, or fails. */
export class GatedStorage implements StorageAdapter {
  readonly #storage: StorageAdapter;
  readonly #held: (() => void)[] = [];
  holding = false;
  failing: Error | undefined;

  constructor(storage: StorageAdapter) {
    this.#storage = storage;
  }

  get joined(): number {
    return this.#storage.joined ?? 0;
  }

  async run(batch: Batch): Promise<RowSet[]> {
    if (this.failing !== undefined) throw this.failing;
    if (!this.holding) return this.#storage.run(batch);
    const release = new Promise<void>((resolve) => this.#held.push(resolve));
    const answer = await this.#storage.run(batch);
    await release;
    return answer;
  }

  /** Releases one answer that is held back, by its index. */
  release(place: number): void {
    const [resolve] = this.#held.splice(place, 1);
    if (resolve === undefined) throw new RangeError(`no answer ${place} is held back`);
    resolve();
  }
}
