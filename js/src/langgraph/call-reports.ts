// Reports for the option `onCall`: how long a call took and how many bytes of values it moved.

import type { CheckpointerError } from "../errors.js";
import type { CallReport } from "../options.js";
import type { Call, NewValue, Outcome, OutcomeOf, Repeat } from "../planner/contract.js";
import { emitWarning } from "../platform/runtime.js";
import { timers } from "../platform/timers.js";
import type { StoredTuple } from "./convert.js";
import { guardedEach, withCode } from "./edge.js";

type Op = CallReport["op"];
type OnCall = (call: CallReport) => void;

/** Reports every call of a saver. */
export class CallReports {
  readonly #onCall: OnCall;
  #failed = false;

  constructor(onCall: OnCall) {
    this.#onCall = onCall;
  }

  /** Runs a call and reports it. It takes as many microtasks as an unreported call. */
  async answer<T>(op: Op, run: (call: ReportedCall) => Promise<T>): Promise<T> {
    const call = new ReportedCall();
    const begun = timers.elapsed();
    try {
      return await run(call);
    } catch (thrown) {
      call.error = withCode(thrown);
      throw call.error;
    } finally {
      call.ms = timers.elapsed() - begun;
      this.#tell(call.report(op));
    }
  }

  /**
   * The same for a method that yields several items. It is one call, however many items it yields.
   */
  async *each<T>(op: Op, run: (call: ReportedCall) => AsyncGenerator<T>): AsyncGenerator<T> {
    const call = new ReportedCall();
    const items = guardedEach(() => run(call));
    try {
      while (true) {
        const next = await call.waited(items);
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await items.return(undefined);
      this.#tell(call.report(op));
    }
  }

  /** Calls the callback. Its errors become a warning and do not reach the call. */
  #tell(report: CallReport): void {
    try {
      const given: unknown = this.#onCall(report);
      if (typeof given !== "object" || given === null || !("then" in given)) return;
      Promise.resolve(given).catch((thrown: unknown) => this.#warn(report, thrown));
    } catch (thrown) {
      this.#warn(report, thrown);
    }
  }

  #warn({ op }: CallReport, thrown: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const what = thrown instanceof Error ? thrown.name : typeof thrown;
    const message =
      `the option onCall threw (${what}) when it was told of a ${op}; the call is not affected; ` +
      "further errors of onCall are not reported; catch them inside the function";
    emitWarning(message, "CheckpointerWarning");
  }
}

/** A call under way. */
export class ReportedCall {
  ms = 0;
  error: CheckpointerError | undefined;
  #bytes = 0;

  /** Counts the bytes that a call passes to the planner, and returns the call. */
  calls(call: Call): Call {
    this.#bytes += bytesOfCall(call);
    return call;
  }

  /** The same for the repeat of a stale call. */
  repeats(whole: Repeat): Repeat {
    return (known) => this.calls(whole(known));
  }

  /** Counts the bytes of the call's outcome. */
  got(outcome: Outcome): void {
    this.#bytes += bytesOfOutcome(outcome);
  }

  /** Awaits the next item and adds the time it took to `ms`. */
  async waited<T>(items: AsyncGenerator<T>): Promise<IteratorResult<T>> {
    const begun = timers.elapsed();
    try {
      return await items.next();
    } catch (thrown) {
      this.error = withCode(thrown);
      throw this.error;
    } finally {
      this.ms += timers.elapsed() - begun;
    }
  }

  report(op: Op): CallReport {
    const report = { op, ms: this.ms, bytes: this.#bytes };
    return this.error === undefined ? report : { ...report, error: this.error };
  }
}

type Bytes = { readonly bytes: Uint8Array };
type StoredValue = StoredTuple["channelValues"][number]["value"];
type StoredHistory = OutcomeOf<"history">["val"][number];

function bytesOfCall(call: Call): number {
  if (call.tag === "put") {
    const { checkpoint, metadata } = call.val;
    const values = checkpoint.channelValues.map(({ value }) => bytesOfNew(value));
    return sum(values) + lengthOf(checkpoint.rest) + lengthOf(metadata);
  }
  return call.tag === "put-writes" ? sum(call.val.writes.map(({ value }) => lengthOf(value))) : 0;
}

function bytesOfNew(value: NewValue): number {
  if (value.tag === "whole") return lengthOf(value.val);
  if (value.tag === "unchanged") return 0;
  return sum(value.val.map((run) => (run.tag === "fresh" ? run.val.byteLength : 0)));
}

function bytesOfOutcome(outcome: Outcome): number {
  switch (outcome.tag) {
    case "found":
      return outcome.val === undefined ? 0 : bytesOfTuple(outcome.val.tuple);
    case "page":
      // The values of its tuples are spans of these bytes.
      return outcome.val.shared.byteLength + sum(outcome.val.tuples.map(bytesOfTuple));
    case "history":
      return sum(outcome.val.map(bytesOfHistory));
    default:
      return 0;
  }
}

function bytesOfTuple(tuple: StoredTuple): number {
  const { channelValues, rest, metadata, pendingWrites, pendingSends = [] } = tuple;
  const values = channelValues.map(({ value }) => bytesOfStored(value));
  const writes = pendingWrites.map(({ value }) => value);
  return sum(values) + sum([rest, metadata, ...writes, ...pendingSends].map(lengthOf));
}

function bytesOfStored(value: StoredValue): number {
  return value.tag === "whole" ? lengthOf(value.val) : 0;
}

function bytesOfHistory({ writes, seed }: StoredHistory): number {
  const read = sum(writes.map(({ value }) => lengthOf(value)));
  return seed === undefined ? read : read + lengthOf(seed);
}

function lengthOf({ bytes }: Bytes): number {
  return bytes.byteLength;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}
