// Checks an adapter, so that its mistakes are not withAdapterNamed on the planner or the store.

import {
  AdapterError,
  CheckpointerError,
  CorruptError,
  InvalidInputError,
  ProtocolError,
} from "../errors.js";
import { isPending } from "../platform/maybe-promise.js";
import { timers } from "../platform/timers.js";
import type { Batch, Dialect, RowSet, SqlValue, StorageAdapter, StoredCall } from "./adapter.js";
import { PlannerFailure } from "./instance.js";

/** The default of an adapter's `deadlineMs`. */
const DEADLINE_MS = 30_000;

/** An adapter whose failures are typed and name it, and whose answers have the required shape. */
export class CheckedAdapter implements StorageAdapter {
  readonly name: string;
  readonly dialect: Dialect;
  readonly runCall: StorageAdapter["runCall"];
  readonly #adapter: StorageAdapter;

  constructor(adapter: StorageAdapter) {
    this.name = nameOf(adapter);
    this.#adapter = adapter;
    if (typeof adapter?.run !== "function") {
      throw new AdapterError("adapter-unusable", this.name, "has no method run", "nothing");
    }
    if (adapter.runCall !== undefined) this.runCall = this.#runCall;
    this.dialect = dialectOf(this.name, adapter.dialect);
  }

  get joined(): number {
    return this.#adapter.joined ?? 0;
  }

  get inTransaction(): boolean {
    return this.#adapter.inTransaction ?? false;
  }

  get joinsCalls(): boolean {
    // A call inside the caller's transaction must run at once.
    const { joinsCalls = false, inTransaction, runCall } = this.#adapter;
    return joinsCalls && inTransaction === undefined && runCall === undefined;
  }

  run(batch: Batch): RowSet[] | Promise<RowSet[]> {
    let answer: unknown;
    try {
      answer = this.#adapter.run(batch);
    } catch (thrown) {
      throw this.#failed(batch, thrown);
    }
    if (!isThenable(answer)) return this.#verified(batch, answer);
    const verified = Promise.resolve(answer).then((rowSets) => this.#verified(batch, rowSets));
    return this.#settled(() => batch, verified);
  }

  #runCall(call: StoredCall): void | Promise<void> {
    const checked = new CheckedCall(call, (batch, rowSets) => this.#verified(batch, rowSets));
    let ended: void | Promise<void>;
    try {
      ended = this.#adapter.runCall?.(checked);
    } catch (thrown) {
      throw this.#failed(checked.last, thrown);
    }
    if (isThenable(ended)) return this.#settled(() => checked.last, Promise.resolve(ended));
  }

  /** The answer, or `adapter-timeout` at the deadline. */
  #settled<T>(batch: () => Batch | undefined, answer: Promise<T>): Promise<T> {
    const told = answer.catch((thrown: unknown) => {
      throw this.#failed(batch(), thrown);
    });
    const deadlineMs = this.#adapter.deadlineMs ?? DEADLINE_MS;
    if (deadlineMs === Number.POSITIVE_INFINITY) return told;
    return new Promise((resolve, reject) => {
      const late = () => {
        const what = `did not answer ${shown(batch())} within ${deadlineMs} ms`;
        reject(this.#error("adapter-timeout", batch(), what));
      };
      const timer = timers.setTimeout(late, deadlineMs);
      told.then(resolve, reject).finally(() => timers.clearTimeout(timer));
    });
  }

  #verified(batch: Batch, answer: unknown): RowSet[] {
    const wrong = wrongIn(answer, batch.statements.length);
    if (wrong === undefined) return answer as RowSet[];
    throw this.#error("adapter-wrong-answer", batch, `answered ${shown(batch)} with ${wrong}`);
  }

  #failed(batch: Batch | undefined, thrown: unknown): unknown {
    // A typed error already says what happened, and the planner's own failure is not the adapter's.
    if (thrown instanceof CheckpointerError || thrown instanceof PlannerFailure) return thrown;
    const what = `failed at ${shown(batch)}, for the reason in this error's cause`;
    return this.#error("adapter-failed", batch, what, thrown);
  }

  #error(
    code: ConstructorParameters<typeof AdapterError>[0],
    batch: Batch | undefined,
    what: string,
    cause?: unknown,
  ): AdapterError {
    const stored = batch?.access === "read" ? "nothing" : "unknown";
    return new AdapterError(code, this.name, what, stored, cause);
  }
}

/** A call that checks the answers its adapter gives. */
class CheckedCall implements StoredCall {
  readonly #call: StoredCall;
  readonly #verified: (batch: Batch, rowSets: unknown) => RowSet[];
  /** The batch that the adapter was last given. */
  last: Batch | undefined;

  constructor(call: StoredCall, verified: (batch: Batch, rowSets: unknown) => RowSet[]) {
    this.#call = call;
    this.#verified = verified;
  }

  get due(): StoredCall["due"] {
    return this.#call.due;
  }

  get thread(): string | undefined {
    return this.#call.thread;
  }

  get isInside(): boolean {
    return this.#call.isInside ?? false;
  }

  get batch(): Batch | undefined {
    const { batch } = this.#call;
    this.last = batch ?? this.last;
    return batch;
  }

  endsWith(rowSets: readonly RowSet[]): boolean {
    return this.#call.endsWith(this.#verified(this.#asked(), rowSets));
  }

  answer(rowSets: readonly RowSet[]): void {
    this.#call.answer(this.#verified(this.#asked(), rowSets));
  }

  #asked(): Batch {
    if (this.last !== undefined) return this.last;
    throw new ProtocolError("unasked-answer", "a batch was answered that was not asked for");
  }
}

/** What an adapter may have done to give the planner what looks like a damaged store. */
const MISDEEDS: Readonly<Record<string, string>> = {
  "missing-format": "does not give the rows of the database",
  "unexpected-column": "gives columns in other types or another order than the database",
};

/** Adds the adapter's name to an error of the planner's that the adapter may have caused. */
export function withAdapterNamed(thrown: unknown, { name }: StorageAdapter): unknown {
  const misdeed = thrown instanceof CorruptError ? MISDEEDS[thrown.code] : undefined;
  if (!(thrown instanceof CorruptError) || misdeed === undefined) return thrown;
  return new CorruptError(thrown.code, `${thrown.message}; or storage adapter ${name} ${misdeed}`);
}

function nameOf(adapter: StorageAdapter): string {
  const name = adapter?.name ?? adapter?.constructor?.name;
  return name === undefined || name === "Object" ? "(without a name)" : name;
}

/** An adapter's dialect. Throws `invalid-option` for what is none. */
function dialectOf(adapter: string, dialect: unknown = { name: "sqlite" }): Dialect {
  const { name, schema } = Object(dialect);
  if (name === "sqlite") return { name };
  if (name === "postgres" && typeof schema === "string") return { name, schema };
  const what =
    `the dialect of storage adapter ${adapter} has to be { name: "sqlite" } or ` +
    '{ name: "postgres", schema: "agents" }';
  throw new InvalidInputError("invalid-option", what);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (isPending(value)) return true;
  return typeof value === "object" && value !== null && "then" in value;
}

function shown(batch: Batch | undefined): string {
  if (batch === undefined) return "a write batch";
  return `a ${batch.access} batch of ${batch.statements.length} statements`;
}

/** What is wrong with an answer, in words, or undefined. */
function wrongIn(answer: unknown, count: number): string | undefined {
  if (!Array.isArray(answer)) return `${kindOf(answer)} instead of an array of row sets`;
  if (answer.length !== count) {
    return `${answer.length} row sets; give one for each statement, even if it has no rows`;
  }
  for (const [at, rowSet] of answer.entries()) {
    const rows: unknown = rowSet?.rows;
    if (!Array.isArray(rows)) return `${kindOf(rows)} instead of an array as rows of set ${at}`;
    for (const row of rows) {
      if (!Array.isArray(row)) {
        return `${kindOf(row)} instead of an array of columns as a row of set ${at}`;
      }
      for (let column = 0; column < row.length; column += 1) {
        if (isSqlValue(row[column])) continue;
        return `${kindOf(row[column])} in column ${column} of set ${at}; ${SQL_VALUES}`;
      }
    }
  }
  return undefined;
}

const SQL_VALUES = "a column is null, a bigint, a number, a string or a Uint8Array";

function isSqlValue(value: unknown): value is SqlValue {
  switch (typeof value) {
    case "bigint":
    case "number":
    case "string":
      return true;
    default:
      return value === null || value instanceof Uint8Array;
  }
}

/** The type of a value for a message, never the value itself. */
function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null)
    return String(value === null ? null : typeof value);
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
