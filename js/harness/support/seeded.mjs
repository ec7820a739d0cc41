// Seeded random numbers.

/** A source of random draws, always the same for a seed. */
export class Seeded {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A whole number below a bound. */
  below(bound) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** Whether something of this likelihood happens. */
  chance(likelihood) {
    return this.below(1_000_000) < likelihood * 1_000_000;
  }

  pick(items) {
    return items[this.below(items.length)];
  }

  /** One of the names, each with a likelihood in proportion to its weight. */
  weighted(weights) {
    const entries = Object.entries(weights);
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new RangeError("nothing to draw from");
  }
}

/** The number in an environment variable, or a default. */
export function numberOf(variable, otherwise) {
  return Number(process.env[variable] ?? otherwise);
}
