// What Cloudflare's databases have in common.

import { InvalidInputError, StorageError } from "../../errors.js";
import type { Batch, SqlValue, Statement } from "../../planner/adapter.js";

const PARAMETERS_MAX = 100;
const STATEMENT_BYTES_MAX = 100_000;
/** The limit of a text, a blob, or a row. */
const VALUE_BYTES_MAX = 2_000_000;

/** A value as these databases accept it. They have no bigint. */
export type BoundValue = null | number | string | Uint8Array;

/** The error for a saver that was made with something else than the platform's database. */
export function notOfPlatform(what: string): InvalidInputError {
  return new InvalidInputError("invalid-database", `pass ${what}; check the binding's name`);
}

/** One run of a statement. */
export interface BoundRun {
  readonly text: string;
  readonly values: BoundValue[];
}

/**
 * The runs of each statement of a batch. Throws `storage-too-large` for what the platform would
 * refuse.
 */
export function boundRuns(batch: Batch, database: string): BoundRun[][] {
  return batch.statements.map(({ text, parameters }: Statement) => {
    if (text.length > STATEMENT_BYTES_MAX) {
      throw tooLarge(database, `statements of more than ${STATEMENT_BYTES_MAX} bytes`);
    }
    return parameters.map((row) => {
      if (row.length > PARAMETERS_MAX) {
        throw tooLarge(database, `more than ${PARAMETERS_MAX} parameters, as of a long filter`);
      }
      if (row.reduce((sum: number, value) => sum + bytesOf(value), 0) > 2 * VALUE_BYTES_MAX) {
        throw tooLarge(database, `rows of more than ${VALUE_BYTES_MAX} bytes`);
      }
      return { text, values: row.map((value) => toBound(value, database)) };
    });
  });
}

function toBound(value: SqlValue, database: string): BoundValue {
  if (bytesOf(value) > VALUE_BYTES_MAX) {
    throw tooLarge(database, `values of more than ${VALUE_BYTES_MAX} bytes`);
  }
  // The planner's integers are keys, places and counts, all exact as numbers.
  return typeof value === "bigint" ? Number(value) : value;
}

function bytesOf(value: SqlValue): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 0;
}

/**
 * A column as an adapter must give it. These databases give bytes as buffers or lists of numbers.
 */
export function fromColumn(value: unknown): SqlValue {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (Array.isArray(value)) return Uint8Array.from(value);
  // `CheckedAdapter` reports any other type.
  return value as SqlValue;
}

function tooLarge(database: string, what: string): StorageError {
  return new StorageError(
    "storage-too-large",
    `${database} does not take ${what}; store or ask for less in one call`,
    { stored: "nothing" },
  );
}

/** What the platform threw, as a `StorageError`. */
export function platformFailure(
  database: string,
  thrown: unknown,
  stored: "nothing" | "unknown",
): StorageError {
  if (thrown instanceof StorageError) return thrown;
  const message = String(thrown);
  const options = { cause: thrown, stored };
  if (/SQLITE_TOOBIG|too big/i.test(message)) {
    return new StorageError(
      "storage-too-large",
      `a value is larger than ${database} stores (2 MB); store less in one channel`,
      options,
    );
  }
  if (/SQLITE_FULL|disk is full|maximum (DB|database) size/i.test(message)) {
    return new StorageError("storage-full", `no space is left in ${database}`, options);
  }
  return new StorageError(
    "storage-failed",
    `${database} failed to run a batch; the cause of this error says why`,
    options,
  );
}
