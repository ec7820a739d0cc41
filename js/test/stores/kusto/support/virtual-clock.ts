import type { Clock } from "../../../../src/stores/kusto/clock.js";

/** Time that passes at once when someone waits for it, and a little at each look. */
export class VirtualClock implements Clock {
  #now: number;

  constructor(now = Date.now()) {
    this.#now = now;
  }

  now(): number {
    this.#now += 1;
    return this.#now;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
  }
}
