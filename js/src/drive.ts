import type { RowSet, StorageAdapter } from "./adapters/adapter.js";
import { blamed } from "./adapters/checked.js";
import { ProtocolError } from "./errors.js";
import { type Eventually, isPending } from "./eventually.js";
import type { Call, Outcome, PlannedCall, Planner } from "./guest.js";
import { PlannerFailure } from "./instance.js";

/** More rounds than any operation needs: a call that asks for more would never end. */
const ROUNDS_MAX = 512;

/**
 * Drives a call to its outcome: runs what the planner asks for and gives it the answer.
 *
 * It goes on without waiting for as long as the storage adapter answers at once. Every batch may
 * be repeated.
 */
export function drive(planner: Planner, call: Call, storage: StorageAdapter): Eventually<Outcome> {
  return twiceAtMost(() => driveOnce(planner, call, storage));
}

/**
 * Runs a call, and once more on a fresh planner instance if the first one fails: that takes the
 * other calls on it along, through no fault of theirs.
 */
export function twiceAtMost(run: () => Eventually<Outcome>): Eventually<Outcome> {
  return withSecondTry(run, () => withSecondTry(run, plannerFailed));
}

function withSecondTry(
  first: () => Eventually<Outcome>,
  second: (failure: PlannerFailure) => Eventually<Outcome>,
): Eventually<Outcome> {
  const recover = (thrown: unknown) => {
    if (thrown instanceof PlannerFailure) return second(thrown);
    throw thrown;
  };
  try {
    const outcome = first();
    return isPending(outcome) ? outcome.catch(recover) : outcome;
  } catch (thrown) {
    return recover(thrown);
  }
}

function plannerFailed(failure: PlannerFailure): never {
  throw new ProtocolError(
    "planner-failed",
    "the planner failed twice at one call; this is a defect of this package, please report it",
    { cause: failure.cause },
  );
}

/** Calls that write, most often in their first batch. */
const WRITING: ReadonlySet<Call["tag"]> = new Set(["put", "put-writes", "delete-thread"]);

function driveOnce(planner: Planner, call: Call, storage: StorageAdapter): Eventually<Outcome> {
  const planned = planner.start(call);
  let waiting = false;
  try {
    const outcome = WRITING.has(call.tag)
      ? writtenLater(planned, storage)
      : rounds(planned, storage, 0);
    waiting = isPending(outcome);
    return isPending(outcome) ? outcome.finally(() => planned.end()) : outcome;
  } finally {
    if (!waiting) planned.end();
  }
}

/** The same, begun when the storage adapter comes to it, where it lets writes wait. */
function writtenLater(planned: PlannedCall, storage: StorageAdapter): Eventually<Outcome> {
  if (storage.runLater === undefined) return rounds(planned, storage, 0);
  const first = () => {
    const { step } = planned;
    return "batch" in step && step.batch.access === "write" ? step.batch : undefined;
  };
  return storage.runLater(first).then((rowSets) => {
    return rowSets === undefined
      ? rounds(planned, storage, 0)
      : proceed(planned, storage, rowSets, 1);
  });
}

function rounds(planned: PlannedCall, storage: StorageAdapter, done: number): Eventually<Outcome> {
  for (let round = done; round < ROUNDS_MAX; round += 1) {
    const { step } = planned;
    if ("outcome" in step) return step.outcome;
    const answer = storage.run(step.batch);
    if (isPending(answer)) {
      return answer.then((rowSets) => proceed(planned, storage, rowSets, round + 1));
    }
    advance(planned, storage, answer);
  }
  throw new ProtocolError(
    "too-many-rounds",
    `a call asked for more than ${ROUNDS_MAX} batches; please report it`,
  );
}

function proceed(
  planned: PlannedCall,
  storage: StorageAdapter,
  rowSets: readonly RowSet[],
  done: number,
): Eventually<Outcome> {
  advance(planned, storage, rowSets);
  return rounds(planned, storage, done);
}

function advance(planned: PlannedCall, storage: StorageAdapter, rowSets: readonly RowSet[]): void {
  try {
    planned.advance(rowSets);
  } catch (thrown) {
    throw blamed(thrown, storage);
  }
}
