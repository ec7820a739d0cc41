import { ProtocolError } from "../errors.js";
import { type Eventually, isPending } from "../platform/maybe-promise.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "./adapter.js";
import type { Call, Outcome } from "./calls.js";
import { blamed } from "./checked-adapter.js";
import { PlannerFailure } from "./instance.js";
import type { PlannedCall, Planner } from "./planner.js";
import type { Made, Repeat } from "./runner.js";

/** More rounds than any operation needs: a call that asks for more would never end. */
const ROUNDS_MAX = 512;

/**
 * Drives a call to its outcome: has its batches run and gives the planner the answers.
 *
 * It goes on without waiting for as long as the storage adapter answers at once. Every batch may
 * be repeated.
 *
 * @param whole Repeats a call whose outcome is stale, with whole values.
 * @param made How the call was made.
 */
export function drive(
  planner: Planner,
  call: Call,
  storage: StorageAdapter,
  whole?: Repeat,
  made?: Made,
): Eventually<Outcome> {
  return twiceAtMost(() => driveOnce(new DrivenCall(planner, call, storage, whole, made), storage));
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

function driveOnce(call: DrivenCall, storage: StorageAdapter): Eventually<Outcome> {
  let waiting = false;
  try {
    const ended = storage.runCall === undefined ? runHere(call, storage) : storage.runCall(call);
    if (!isPending(ended)) return call.outcome;
    waiting = true;
    return ended.then(() => call.outcome).finally(() => call.end());
  } finally {
    if (!waiting) call.end();
  }
}

/** Runs the batches of a call one after the other. */
function runHere(call: DrivenCall, storage: StorageAdapter): Eventually<void> {
  for (let { batch } = call; batch !== undefined; { batch } = call) {
    const answer = storage.run(batch);
    if (isPending(answer)) {
      return answer.then((rowSets) => {
        call.answer(rowSets);
        return runHere(call, storage);
      });
    }
    call.answer(answer);
  }
}

/** When the calls of a kind must have run; the others at once. */
const DUE: Partial<Record<Call["tag"], StoredCall["due"]>> = {
  // LangGraph hands the next checkpoint over once this promise is resolved, and the objects in it
  // may change meanwhile.
  put: "microtask",
  "delete-thread": "microtask",
  // The put of the superstep comes in the same turn and takes these along.
  "put-writes": "turn",
};

/** A call on its way through the planner. */
class DrivenCall implements StoredCall {
  readonly due: StoredCall["due"];
  readonly thread: string | undefined;
  readonly isInside: boolean;
  readonly #planner: Planner;
  readonly #storage: StorageAdapter;
  #planned: PlannedCall;
  #whole: Repeat | undefined;
  #rounds = 0;

  constructor(planner: Planner, call: Call, storage: StorageAdapter, whole?: Repeat, made?: Made) {
    this.due = DUE[call.tag] ?? "now";
    this.thread = made?.thread;
    this.isInside = made?.isInside ?? false;
    this.#planner = planner;
    this.#storage = storage;
    this.#planned = planner.start(call);
    this.#whole = whole;
  }

  get batch(): Batch | undefined {
    const { step } = this.#planned;
    if ("batch" in step) return step.batch;
    if (step.outcome.tag !== "stale" || this.#whole === undefined) return undefined;
    this.#planned.end();
    this.#planned = this.#planner.start(this.#whole(step.outcome.val));
    this.#whole = undefined;
    return this.batch;
  }

  get outcome(): Outcome {
    const { step } = this.#planned;
    if ("outcome" in step) return step.outcome;
    throw new ProtocolError("unended-call", "a call has no outcome before its end");
  }

  endsWith(rowSets: readonly RowSet[]): boolean {
    return this.#planned.endsWith(rowSets);
  }

  answer(rowSets: readonly RowSet[]): void {
    this.#rounds += 1;
    if (this.#rounds > ROUNDS_MAX) {
      throw new ProtocolError(
        "too-many-rounds",
        `a call asked for more than ${ROUNDS_MAX} batches; please report it`,
      );
    }
    try {
      this.#planned.advance(rowSets);
    } catch (thrown) {
      throw blamed(thrown, this.#storage);
    }
  }

  end(): void {
    this.#planned.end();
  }
}
