// What the planner is asked, and what it ends in.

import type * as wit from "../../generated/interfaces/langgraph-checkpoint-operations.js";

/** A call of LangGraph's, as the planner takes it. */
export type Call =
  | { tag: "setup" }
  | { tag: "get-tuple"; val: wit.GetTupleCall }
  | { tag: "list"; val: wit.ListCall }
  | { tag: "put"; val: wit.PutCall }
  | { tag: "put-writes"; val: wit.PutWritesCall }
  | { tag: "delete-thread"; val: wit.Config }
  | { tag: "delta-channel-history"; val: wit.DeltaChannelHistoryCall };
/** What an operation ends in. */
export type Outcome = wit.Outcome;
/** The outcome of one kind. */
export type OutcomeOf<Tag extends Outcome["tag"]> = Extract<Outcome, { tag: Tag }>;

/** The value of a channel to store. */
export type NewValue = wit.NewValue;
/** Consecutive parts of a list or map. */
export type Run = wit.Run;
