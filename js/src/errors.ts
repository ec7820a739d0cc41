// Every error this package throws on purpose. `code` is stable and for programs. The message is for
// people and never contains a value of the user's. `cause` is the foreign error, unchanged.

import { sharedAmongCopies } from "./platform/shared-class.js";

/** What a failed call left in the store. */
export type Stored = "nothing" | "unknown";

/** The base class of every error this package throws on purpose. */
export abstract class CheckpointerError extends Error {
  /** Stable, for programs: lower-case words joined by hyphens. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The caller's input is not acceptable. Nothing was stored. */
export class InvalidInputError extends CheckpointerError {}

/** The stored data is damaged or incomplete. */
export class CorruptError extends CheckpointerError {}

/** The store has a newer format than this package can read. */
export class UnsupportedFormatError extends CheckpointerError {}

/**
 * The parts of this package disagree, or the planner failed. This is a defect: please report it.
 */
export class ProtocolError extends CheckpointerError {}

/** Why a database did not run a batch. */
export type StorageErrorCode =
  | "storage-busy"
  | "storage-closed"
  | "storage-damaged"
  | "storage-failed"
  | "storage-full"
  | "storage-in-transaction"
  | "storage-not-a-database"
  | "storage-read-only"
  | "storage-replaced"
  | "storage-timeout"
  | "storage-too-large"
  | "storage-unreachable";

const EFFECTS: Record<Stored, string> = {
  nothing: "nothing was stored",
  unknown: "it is not known whether it was stored",
};

/** The store failed. The saver stays usable. */
export abstract class StoreError extends CheckpointerError {
  /** What the call left in the store. */
  readonly stored: Stored;

  constructor(code: string, message: string, options?: ErrorOptions & { stored?: Stored }) {
    super(code, message, options);
    this.stored = options?.stored ?? "nothing";
  }
}

/** Says in an error that an attempt before the one that failed may have been stored. */
export function noteLostAttempt(error: StoreError): void {
  if (error.stored === "unknown") return;
  Object.assign(error, {
    stored: "unknown",
    message: `${error.message}; an attempt before it may have been stored`,
  });
}

/** A database failed, or the connection to it. */
export class StorageError extends StoreError {
  declare readonly code: StorageErrorCode;

  /**
   * @param message Says what happened and what to do. What was stored is added to it.
   * @param options `stored` says what the batch left in the store. Without it, nobody knows.
   */
  constructor(
    code: StorageErrorCode,
    message: string,
    { stored = "unknown", ...options }: ErrorOptions & { stored?: Stored } = {},
  ) {
    super(code, `${message}; ${EFFECTS[stored]}`, { ...options, stored });
  }
}

/** What a storage adapter did wrong. */
export type AdapterErrorCode =
  | "adapter-failed"
  | "adapter-timeout"
  | "adapter-unusable"
  | "adapter-wrong-answer";

/** A storage adapter broke its rules, or failed without saying how. The saver stays usable. */
export class AdapterError extends StoreError {
  declare readonly code: AdapterErrorCode;
  /** The adapter's name. */
  readonly adapter: string;

  constructor(
    code: AdapterErrorCode,
    adapter: string,
    what: string,
    stored: Stored,
    cause?: unknown,
  ) {
    const options = cause === undefined ? { stored } : { cause, stored };
    super(code, `storage adapter ${adapter} ${what}`, options);
    this.adapter = adapter;
  }
}

/**
 * A store on the network did not answer in time, or refused for the moment; or others kept changing
 * the thread. Try again later.
 */
export class UnavailableError extends StoreError {}

/**
 * A store on the network refused: a role, a token, a table or a policy is missing. Repeating the
 * call does not help.
 */
export class DeniedError extends StoreError {}

sharedAmongCopies({
  CheckpointerError,
  InvalidInputError,
  CorruptError,
  UnsupportedFormatError,
  ProtocolError,
  StoreError,
  StorageError,
  AdapterError,
  UnavailableError,
  DeniedError,
});

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly maybeStored?: boolean;
}

const CLASSES = {
  "invalid-input": InvalidInputError,
  corrupt: CorruptError,
  "unsupported-format": UnsupportedFormatError,
  protocol: ProtocolError,
  unavailable: UnavailableError,
  denied: DeniedError,
} as const;

/**
 * The error for a refusal of the planner's. `tag` is its case in WIT; an unknown one is a protocol
 * error.
 */
export function refusal(tag: string, fault: Fault): CheckpointerError {
  const { code, message, maybeStored = false } = fault;
  const stored = maybeStored ? "unknown" : "nothing";
  const refused = Object.hasOwn(CLASSES, tag) ? (tag as keyof typeof CLASSES) : "protocol";
  return new CLASSES[refused](code, message, { stored });
}

/**
 * The error for a call made inside the caller's transaction that cannot run at once. Later the
 * transaction may have ended, or another one may be open.
 */
export function lateInside(): StorageError {
  const message =
    "a call inside a transaction of yours could not run in it at once, because earlier calls of " +
    "its thread still wait or the serializer is asynchronous; await all calls before BEGIN, and " +
    "use no asynchronous serializer inside a transaction";
  return new StorageError("storage-in-transaction", message, { stored: "nothing" });
}
