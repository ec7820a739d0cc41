import { ProtocolError } from "../errors.js";
import type { Eventually } from "../platform/maybe-promise.js";
import type { Call, Outcome, OutcomeOf } from "./calls.js";

/** Makes the call that takes the place of one that ended stale, of the `known` it ended with. */
export type Repeat = (known: Uint8Array) => Call;

/** Runs calls on one store, whichever it is. */
export interface Runner {
  /**
   * How many calls ran inside a transaction of the caller's own, who may still undo it: a saver
   * does not go on from what those found or stored. Left out where that cannot happen.
   */
  readonly joined?: number | undefined;
  /** Whether calls take effect in the order of `run`, without waiting for one another. */
  readonly ordersCalls: boolean;
  /**
   * Begins a call in the caller's own turn of the event loop, and runs it to its outcome.
   *
   * @param whole Repeats a call whose outcome is stale, with whole values.
   */
  run(call: Call, whole?: Repeat): Eventually<Outcome>;
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
