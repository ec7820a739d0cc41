import type { Clock } from "../../../../src/stores/kusto/clock.js";

/** A clock on which waiting ends at once, and each look takes a little time. */
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
