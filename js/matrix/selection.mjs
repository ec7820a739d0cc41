/** The cells that `--only` selects: those whose name contains a text, or all if there is none. */
export class Selection {
  #text;
  #names = [];
  #isFound = false;

  constructor(text) {
    this.#text = text;
  }

  /** Whether all cells are selected. */
  get isAll() {
    return this.#text === undefined;
  }

  /** Whether a cell is selected. */
  has(name) {
    const isSelected = this.#text === undefined || name.includes(this.#text);
    this.#names.push(name);
    this.#isFound ||= isSelected;
    return isSelected;
  }

  /** If none of the cells that were asked about is selected: what to select instead. */
  get missed() {
    if (this.#isFound) return undefined;
    const names = this.#names.map((name) => `  ${name}`);
    return [`no cell has "${this.#text}" in its name; the cells are:`, ...names].join("\n");
  }
}
