// What the drivers throw, as errors of this package.

import type { StorageErrorCode, Stored } from "../../errors.js";
import { CheckpointerError, DeniedError, InvalidInputError, StorageError } from "../../errors.js";

/** A failure, and whether the batch may succeed if it is run again. */
export interface Failure {
  readonly error: CheckpointerError;
  readonly isTransient: boolean;
  /** Whether the connection can be used again. */
  readonly keepsConnection: boolean;
  /** Whether the server said so itself, and so is there. */
  readonly isAnswer?: boolean;
}

const NO_PREPARED = "a pooler lost a prepared statement; leave the option prepare out";

/** PostgreSQL's conditions by their codes, or the classes of codes. */
const CONDITIONS: Readonly<Record<string, readonly [Kind, StorageErrorCode | Refusal, string]>> = {
  "08": ["lost", "storage-unreachable", "the connection to PostgreSQL failed"],
  "57P01": ["lost", "storage-unreachable", "PostgreSQL was shut down, or ended the session"],
  "57P02": ["lost", "storage-unreachable", "PostgreSQL crashed"],
  "57P03": ["lost", "storage-unreachable", "PostgreSQL does not accept connections yet"],
  "57P05": ["lost", "storage-unreachable", "PostgreSQL ended an idle session"],
  "53300": ["lost", "storage-busy", "PostgreSQL has no connection left"],
  "40": ["transient", "storage-busy", "other transactions kept this one from ending"],
  "55P03": ["transient", "storage-busy", "another transaction held a lock too long"],
  "57014": ["final", "storage-timeout", "a statement took longer than its statement_timeout"],
  "25006": ["final", "storage-read-only", "the server or the session is read-only"],
  "53100": ["final", "storage-full", "the server's disk is full"],
  "54": ["final", "storage-too-large", "a value is larger than PostgreSQL takes"],
  XX001: ["final", "storage-damaged", "PostgreSQL found its files damaged"],
  XX002: ["final", "storage-damaged", "PostgreSQL found an index damaged"],
  "26000": ["final", "storage-failed", NO_PREPARED],
  "42P05": ["final", "storage-failed", NO_PREPARED],
  "28": ["refused", "store-unauthorized", "PostgreSQL refused the login; check user and password"],
  "42501": ["refused", "store-forbidden", "the role lacks a right; the cause names it"],
  "3D000": ["refused", "store-not-provisioned", "the database does not exist"],
  "3F000": ["refused", "store-not-provisioned", "the schema does not exist; run setup()"],
  "42P01": ["refused", "store-not-provisioned", "a table does not exist; run setup()"],
};

/** `lost`: the connection is. `refused`: repeating does not help. */
type Kind = "lost" | "transient" | "final" | "refused";
type Refusal = "store-unauthorized" | "store-forbidden" | "store-not-provisioned";

const UNREACHABLE = "PostgreSQL cannot be reached; the cause of this error says why";

/** The beginnings of the messages of `pg` and of Neon's driver about lost connections. */
const LOST = [
  "Connection terminated",
  "Client has encountered a connection error",
  "Client was closed",
  "Connection ended unexpectedly",
  "Error connecting to database",
  "Server error (HTTP status 5",
  "Server error (HTTP status 429)",
];
/** The beginnings of the messages of `pg` and PGlite after their end. */
const ENDED = ["Cannot use a pool after calling end", "PGlite is closed", "PGlite is closing"];
/** The codes of sockets, and postgres.js's own. */
const SOCKET = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** How far a batch had come. */
export interface Progress {
  /** Whether the queries may have been sent. */
  readonly isSent: boolean;
  /** Whether something may have been stored if the connection was lost. */
  readonly isWritten: boolean;
}

/** The failure for what was thrown. */
export function failureOf(thrown: unknown, { isSent, isWritten }: Progress): Failure {
  if (thrown instanceof CheckpointerError) {
    return { error: thrown, isTransient: false, keepsConnection: false };
  }
  const { code, message } = shown(thrown);
  const condition = CONDITIONS[code] ?? CONDITIONS[code.slice(0, 2)];
  if (/^[0-9A-Z]{5}$/.test(code) && !SOCKET.has(code))
    return ofServer(condition, thrown, isWritten);
  if (code === "ERR_INVALID_URL") {
    const what = "the connection string is not one of PostgreSQL";
    const error = new InvalidInputError("invalid-connection-string", what, { cause: thrown });
    return { error, isTransient: false, keepsConnection: false };
  }
  if (/timeout (expired|exceeded)/.test(message)) {
    const what =
      "no connection of the pool became free in time; give it more, or call less at once";
    return lost("storage-busy", what, thrown, false);
  }
  if (code === "CONNECTION_ENDED" || ENDED.some((one) => message.startsWith(one))) {
    return ended(thrown);
  }
  const isLost = SOCKET.has(code) || LOST.some((start) => message.startsWith(start));
  if (isLost) return lost("storage-unreachable", UNREACHABLE, thrown, isWritten);
  // `pg` itself refuses a login without a password, or a server that proves nothing.
  if (message.startsWith("SASL:")) return ofServer(CONDITIONS["28"], thrown, isWritten);
  const options = { cause: thrown, stored: stored(isWritten) };
  const what = "the driver failed at a batch; the cause of this error says why";
  const error = isSent
    ? new StorageError("storage-failed", what, options)
    : new StorageError("storage-unreachable", UNREACHABLE, options);
  return { error, isTransient: false, keepsConnection: false };
}

/** The failure of a batch that has no answer at its deadline. */
export function timeout(deadlineMs: number, isWritten: boolean): StorageError {
  const what = `PostgreSQL did not answer a batch within ${deadlineMs} ms`;
  return new StorageError("storage-timeout", what, { stored: stored(isWritten) });
}

/** The failure of a batch for which no connection became free, or was made at all. */
export function noConnection(deadlineMs: number, hasConnected: boolean): StorageError {
  const options = { stored: "nothing" } as const;
  if (!hasConnected) {
    const what = `PostgreSQL cannot be reached: no connection was there within ${deadlineMs} ms`;
    return new StorageError("storage-unreachable", what, options);
  }
  const what = `no connection of the pool became free within ${deadlineMs} ms`;
  const advice = "give it more, or call less at once";
  return new StorageError("storage-busy", `${what}; ${advice}`, options);
}

/** The failure of a call after the saver's end. */
export function ended(cause?: unknown): Failure {
  const error = new StorageError("storage-closed", "the saver was ended; make a new one", {
    cause,
    stored: "nothing",
  });
  return { error, isTransient: false, keepsConnection: false };
}

/** A transaction that failed although none of its statements did. */
export function rolledBack(): StorageError {
  const what = "PostgreSQL rolled a transaction back";
  return new StorageError("storage-failed", what, { stored: "nothing" });
}

function ofServer(
  condition: (typeof CONDITIONS)[string] | undefined,
  cause: unknown,
  isWritten: boolean,
): Failure {
  const [kind, code, what] = condition ?? FAILED;
  if (kind === "lost") {
    return { ...lost(code as StorageErrorCode, what, cause, isWritten), isAnswer: true };
  }
  // What a statement fails with undoes its transaction.
  if (kind === "refused") {
    const error = new DeniedError(code, `${what}; nothing was stored`, { cause });
    return { error, isTransient: false, keepsConnection: true };
  }
  const error = new StorageError(code as StorageErrorCode, what, { cause, stored: "nothing" });
  return { error, isTransient: kind === "transient", keepsConnection: true, isAnswer: true };
}

const FAILED = ["final", "storage-failed", "PostgreSQL failed; the cause says why"] as const;

function lost(code: StorageErrorCode, what: string, cause: unknown, isWritten: boolean): Failure {
  const error = new StorageError(code, what, { cause, stored: stored(isWritten) });
  return { error, isTransient: true, keepsConnection: false };
}

function stored(isWritten: boolean): Stored {
  return isWritten ? "unknown" : "nothing";
}

function shown(thrown: unknown): { code: string; message: string } {
  const read = (name: string) => {
    return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, name) : undefined;
  };
  return { code: String(read("code") ?? ""), message: String(read("message") ?? "") };
}
