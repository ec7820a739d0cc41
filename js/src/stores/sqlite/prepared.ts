/** At most this many statements stay prepared. The planner has fewer texts. */
const PREPARED_MAX = 64;

/** The statements of a connection that stay prepared. */
export class Prepared<Statement> {
  readonly #prepare: (text: string) => Statement;
  readonly #finalize: (statement: Statement) => void;
  readonly #statements = new Map<string, Statement>();

  /** @param finalize Frees a statement, if the driver does not do so by itself. */
  constructor(
    prepare: (text: string) => Statement,
    finalize: (statement: Statement) => void = () => {},
  ) {
    this.#prepare = prepare;
    this.#finalize = finalize;
  }

  /** The prepared statement of a text. */
  of(text: string): Statement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#prepare(text);
    if (this.#statements.size >= PREPARED_MAX) this.clear();
    this.#statements.set(text, statement);
    return statement;
  }

  /** Frees all statements. */
  clear(): void {
    for (const statement of this.#statements.values()) this.#finalize(statement);
    this.#statements.clear();
  }
}
