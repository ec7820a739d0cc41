import { ProtocolError } from "./errors.js";
import type { Eventually } from "./eventually.js";
import type { Call, Outcome, OutcomeOf } from "./guest.js";

/** Runs calls on one store, whichever it is. */
export interface Runner {
  /**
   * How many calls ran inside a transaction of the caller's own, who may still undo it: a saver
   * does not go on from what those found or stored. Left out where that cannot happen.
   */
  readonly joined?: number | undefined;
  /** Begins a call in the caller's own turn of the event loop, and runs it to its outcome. */
  run(call: Call): Eventually<Outcome>;
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
