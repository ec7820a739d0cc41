// Every error this package throws on purpose. Programs look at `code`, which is stable; the
// message is for people and never holds a value. A `cause` is the foreign error as it was.

import { sharedAmongCopies } from "./platform/shared-class.js";

/** What a failed call left in the store. */
export type Stored = "nothing" | "unknown";

/** The root of every error this package throws on purpose. */
export abstract class CheckpointerError extends Error {
  /** Stable, for programs: lower case words joined by hyphens. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The caller's input is not acceptable. Nothing was stored. */
export class InvalidInputError extends CheckpointerError {}

/** What is stored is damaged or incomplete. */
export class CorruptError extends CheckpointerError {}

/** The store holds a newer format than this package reads. */
export class UnsupportedFormatError extends CheckpointerError {}

/** The parts of this package disagree, or the planner failed: a defect worth a report. */
export class ProtocolError extends CheckpointerError {}

/** Why a store did not run a batch. */
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

/** A database failed, or the connection to it. */
export class StorageError extends StoreError {
  declare readonly code: StorageErrorCode;

  constructor(
    code: StorageErrorCode,
    message: string,
    options?: ErrorOptions & { stored?: Stored },
  ) {
    super(code, `${message}; ${EFFECTS[options?.stored ?? "nothing"]}`, options);
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

/** A store on the network did not answer, or not in time, or refused for now: try again later. */
export class UnavailableError extends StoreError {}

/**
 * A store on the network refused: a role, a token, a table or a policy is missing. Repeating the
 * call changes nothing.
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

/** The error of a planner that names the case of its refusal. */
export function refusal(tag: string, fault: Fault): CheckpointerError {
  const { code, message, maybeStored = false } = fault;
  const stored = maybeStored ? "unknown" : "nothing";
  const refused = Object.hasOwn(CLASSES, tag) ? (tag as keyof typeof CLASSES) : "protocol";
  return new CLASSES[refused](code, message, { stored });
}

/**
 * The failure of a call made inside a transaction that cannot run at once: by the time it could,
 * there may be no transaction, or another one.
 */
export function lateInside(): StorageError {
  const message =
    "a call inside a transaction of yours could not run in it at once, as calls of its thread " +
    "made before wait, or its serializer answers later; await the calls made before BEGIN, and " +
    "call what is serialized later outside of transactions";
  return new StorageError("storage-in-transaction", message);
}
