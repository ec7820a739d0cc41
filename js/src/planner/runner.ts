import { ProtocolError, StorageError } from "../errors.js";
import type { Eventually } from "../platform/maybe-promise.js";
import type { Call, Outcome, OutcomeOf } from "./calls.js";

/** Makes the call that takes the place of one that ended stale, of the `known` it ended with. */
export type Repeat = (known: Uint8Array) => Call;

/** How a call was made. */
export interface Made {
  /** Its thread; nothing where it is about all of them. */
  readonly thread: string | undefined;
  /** Whether inside of a transaction of the caller's. */
  readonly isInside: boolean;
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

/** Runs calls on one store, whichever it is. */
export interface Runner {
  /**
   * How many calls ran inside a transaction of the caller's own, who may still undo it: a saver
   * does not go on from what those found or stored. Left out where that cannot happen.
   */
  readonly joined?: number | undefined;
  /** Whether a transaction of the caller's is open. Left out where there are none. */
  readonly inTransaction?: boolean | undefined;
  /** Whether calls take effect in the order of `run`, without waiting for one another. */
  readonly ordersCalls: boolean;
  /**
   * Begins a call in the caller's own turn of the event loop, and runs it to its outcome.
   *
   * @param whole Repeats a call whose outcome is stale, with whole values.
   * @param made How it was made; one that was made inside a transaction is run in that turn.
   */
  run(call: Call, whole: Repeat | undefined, made: Made): Eventually<Outcome>;
}

/** The outcome of one kind, which the planner must have ended in. */
export function expectOutcome<Tag extends Outcome["tag"]>(
  outcome: Outcome,
  tag: Tag,
): OutcomeOf<Tag> {
  if (isOutcome(outcome, tag)) return outcome;
  throw new ProtocolError(
    "unexpected-outcome",
    `the planner ended in "${outcome.tag}" where "${tag}" belongs; please report it`,
  );
}

function isOutcome<Tag extends Outcome["tag"]>(
  outcome: Outcome,
  tag: Tag,
): outcome is OutcomeOf<Tag> {
  return outcome.tag === tag;
}

/** What the planner must not give where nothing was known. */
export function referenceToNothing(): ProtocolError {
  return new ProtocolError(
    "unexpected-outcome",
    "the planner referred to a value that this package does not have; please report it",
  );
}
