import { noteLostAttempt, ProtocolError, StoreError } from "../errors.js";
import { type Eventually, isPending } from "../platform/maybe-promise.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "./adapter.js";
import type { Answer, Call, Made, Need, Outcome, Repeat } from "./contract.js";
import { PlannerFailure } from "./instance.js";
import type { PlannedCall, Planner } from "./planner.js";

/** More rounds than any operation needs. The bound ends a call that would never end by itself. */
const ROUNDS_MAX = 10_000;

/** What serves the needs of calls on one store. */
export interface Server {
  /** Serves one need. */
  serve(need: Need): Eventually<Answer>;
  /** Runs a whole call on a SQL store, instead of serving its needs one by one. */
  readonly runCall?: StorageAdapter["runCall"];
  /** Adds what the server knows of the cause to an error that the planner threw at an answer. */
  explained(thrown: unknown): unknown;
  /** Called when a call has an outcome, in the same turn. */
  onEnd?(): void;
}

/**
 * Drives a call to its outcome: has its needs served and gives the planner the answers. It stays
 * synchronous as long as the answers are. Every need may be served a second time.
 *
 * @param made How the call was made.
 * @param whole Repeats a call whose outcome is stale, with whole values.
 */
export function drive(
  planner: Planner,
  call: Call,
  server: Server,
  made?: Made,
  whole?: Repeat,
): Eventually<Outcome> {
  return twiceAtMost(() => driveOnce(planner, call, server, made, whole));
}

/**
 * Runs a call, and once more on a fresh planner instance if the planner fails. A failure takes down
 * every call on that instance, and only one of them may have caused it.
 */
export function twiceAtMost(run: () => Eventually<Outcome>): Eventually<Outcome> {
  return withSecondTry(run, ({ maybeStored }) => {
    return withSecondTry(maybeStored ? () => afterLostAttempt(run) : run, plannerFailed);
  });
}

/** Runs a call of which a failed attempt may be stored: an error says so. */
export function afterLostAttempt(run: () => Eventually<Outcome>): Eventually<Outcome> {
  return recovered(run, (thrown) => {
    if (thrown instanceof StoreError) noteLostAttempt(thrown);
    throw thrown;
  });
}

function withSecondTry(
  first: () => Eventually<Outcome>,
  second: (failure: PlannerFailure) => Eventually<Outcome>,
): Eventually<Outcome> {
  return recovered(first, (thrown) => {
    if (thrown instanceof PlannerFailure) return second(thrown);
    throw thrown;
  });
}

/** Runs a call, and what recovers from its error, whether that is thrown at once or later. */
function recovered(
  run: () => Eventually<Outcome>,
  recover: (thrown: unknown) => Eventually<Outcome>,
): Eventually<Outcome> {
  try {
    const outcome = run();
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

/** Drives a call on the current instance. Throws `PlannerFailure` if that fails. */
export function driveOnce(
  planner: Planner,
  call: Call,
  server: Server,
  made?: Made,
  whole?: Repeat,
): Eventually<Outcome> {
  const driven = new DrivenCall(planner, call, server, made, whole);
  const noted = (thrown: unknown): never => {
    if (thrown instanceof PlannerFailure) thrown.maybeStored ||= driven.maybeStored;
    throw thrown;
  };
  let waiting = false;
  try {
    const ended = server.runCall === undefined ? serveAll(driven, server) : server.runCall(driven);
    if (!isPending(ended)) return driven.outcome;
    waiting = true;
    return ended.then(() => driven.outcome, noted).finally(() => driven.end());
  } catch (thrown) {
    return noted(thrown);
  } finally {
    if (!waiting) driven.end();
  }
}

/** Serves the needs of a call one after the other. */
function serveAll(call: DrivenCall, server: Server): Eventually<void> {
  for (let { need } = call; need !== undefined; { need } = call) {
    const answer = server.serve(need);
    if (isPending(answer)) {
      return answer.then((ready) => {
        call.advance(ready);
        return serveAll(call, server);
      });
    }
    call.advance(answer);
  }
  server.onEnd?.();
}

/** A call under way in the planner. */
class DrivenCall implements StoredCall {
  readonly due: StoredCall["due"];
  readonly thread: string | undefined;
  readonly isInside: boolean;
  readonly #planner: Planner;
  readonly #server: Server;
  #planned: PlannedCall;
  #whole: Repeat | undefined;
  #rounds = 0;
  /** Whether a need was served that may have stored something. */
  maybeStored = false;

  constructor(planner: Planner, call: Call, server: Server, made?: Made, whole?: Repeat) {
    this.due = made?.due ?? "now";
    this.thread = made?.thread;
    this.isInside = made?.isInside ?? false;
    this.#planner = planner;
    this.#server = server;
    this.#planned = planner.start(call);
    this.#whole = whole;
  }

  /** What the call needs next; undefined once it has ended. Starts the repeat of a stale call. */
  get need(): Need | undefined {
    const { step } = this.#planned;
    if ("need" in step) return step.need;
    if (step.outcome.tag !== "stale" || this.#whole === undefined) return undefined;
    this.#planned.end();
    this.#planned = this.#planner.start(this.#whole(step.outcome.val));
    this.#whole = undefined;
    return this.need;
  }

  get batch(): Batch | undefined {
    const { need } = this;
    return need && batchOf(need);
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
    this.advance({ tag: "sql", val: rowSets });
  }

  advance(answer: Answer): void {
    const { need } = this;
    this.maybeStored ||= need !== undefined && mayStore(need);
    this.#rounds += 1;
    if (this.#rounds > ROUNDS_MAX) {
      throw new ProtocolError(
        "too-many-rounds",
        `a call needed more than ${ROUNDS_MAX} answers; please report it`,
      );
    }
    try {
      this.#planned.advance(answer);
    } catch (thrown) {
      throw this.#server.explained(thrown);
    }
  }

  end(): void {
    this.#planned.end();
  }
}

/** Whether serving a need may store something: a batch that writes, or any request. */
function mayStore(need: Need): boolean {
  return need.tag === "http" || (need.tag === "sql" && need.val.access === "write");
}

/** The batch of a need. On a SQL store a call needs nothing else. */
export function batchOf(need: Need): Batch {
  if (need.tag === "sql") return need.val;
  throw unserved(need);
}

/** The error for a need that this host does not serve. */
export function unserved({ tag }: Need): ProtocolError {
  return new ProtocolError("unexpected-need", `the planner needs ${tag} here; please report it`);
}
