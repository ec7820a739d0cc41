/** At most this many statements are prepared: filters make the number of texts endless. */
const TEXTS_MAX = 64;

/** Which statements a driver prepares, and their names. */
export class Prepared {
  // Another copy of this package may use the same connections.
  readonly #prefix = `lg_${Math.random().toString(36).slice(2)}`;
  readonly #names = new Map<string, string>();

  /** The name of the statement with this text; undefined if it is not prepared. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= TEXTS_MAX) return known;
    const name = `${this.#prefix}_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}
