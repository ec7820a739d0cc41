// The only file that knows the generated code of the planner for SQL: it makes its instances,
// converts SQL values at the boundary, and replaces an instance that failed.

import { instantiate } from "../generated/planner.js";
import type { Batch, RowSet, SqlValue } from "./adapters/adapter.js";
import { type CoreModule, coreModules } from "./core-modules.js";
import { type CoreModules, compiledOnce, Instance } from "./instance.js";

/** It is written out, so that tools that gather a program's files find it. */
const PLANNER: CoreModule = {
  name: "planner.core.wasm",
  file: () => new URL("../generated/planner.core.wasm", import.meta.url),
};

type Operations = ReturnType<typeof instantiate>["operations"];
type Operation = ReturnType<Operations["put"]>[0];
type Progress = ReturnType<Operations["put"]>[1];
type WireBatch = Extract<Progress, { tag: "need" }>["val"]["val"];
type WireValue = WireBatch["statements"][number]["parameters"][number][number];

/** A call of LangGraph's, as the planner takes it. */
export type Call =
  | { tag: "setup" }
  | { tag: "get-tuple"; val: Parameters<Operations["getTuple"]>[0] }
  | { tag: "list"; val: Parameters<Operations["list"]>[0] }
  | { tag: "put"; val: Parameters<Operations["put"]>[0] }
  | { tag: "put-writes"; val: Parameters<Operations["putWrites"]>[0] }
  | { tag: "delete-thread"; val: Parameters<Operations["deleteThread"]>[0] }
  | { tag: "delta-channel-history"; val: Parameters<Operations["deltaChannelHistory"]>[0] };
/** What an operation ends in. */
export type Outcome = Extract<Progress, { tag: "done" }>["val"];
/** The outcome of one kind. */
export type OutcomeOf<Tag extends Outcome["tag"]> = Extract<Outcome, { tag: Tag }>;

type PutCall = Extract<Call, { tag: "put" }>["val"];
/** The value of a channel to store. */
export type NewValue = PutCall["checkpoint"]["channelValues"][number]["value"];
/** Consecutive parts of a list or map. */
export type Run = Extract<NewValue, { tag: "edited" }>["val"][number];

/** How far a call is: a batch to run, or its end. */
export type Step = { readonly batch: Batch } | { readonly outcome: Outcome };

function begin(operations: Operations, call: Call): [Operation, Progress] {
  switch (call.tag) {
    case "setup":
      return operations.setup();
    case "get-tuple":
      return operations.getTuple(call.val);
    case "list":
      return operations.list(call.val);
    case "put":
      return operations.put(call.val);
    case "put-writes":
      return operations.putWrites(call.val);
    case "delete-thread":
      return operations.deleteThread(call.val);
    case "delta-channel-history":
      return operations.deltaChannelHistory(call.val);
  }
}

/** One call under way. */
export class PlannedCall {
  readonly #instance: Instance<Operations>;
  readonly #operation: Operation;
  #step: Step;

  constructor(instance: Instance<Operations>, call: Call) {
    const [operation, progress] = instance.enter((operations) => begin(operations, call));
    this.#instance = instance;
    this.#operation = operation;
    this.#step = toStep(progress);
  }

  /** Where the call stands. */
  get step(): Step {
    return this.#step;
  }

  /** Answers the batch of the step. */
  advance(rowSets: readonly RowSet[]): void {
    const val = rowSets.map(({ rows }) => ({ rows: rows.map((row) => row.map(toWire)) }));
    const answer = { tag: "sql", val } as const;
    this.#step = toStep(this.#instance.enter(() => this.#operation.advance(answer)));
  }

  /** Frees what the instance keeps of the call. */
  end(): void {
    this.#instance.drop(this.#operation);
  }
}

/** Starts calls, on one instance for as long as that lives. */
export class Planner {
  readonly #coreModule: CoreModules;
  #instance: Instance<Operations> | undefined;

  constructor(coreModule: CoreModules) {
    this.#coreModule = compiledOnce(coreModule);
  }

  /** Begins a call. Bad input is refused here. */
  start(call: Call): PlannedCall {
    if (!this.#instance?.alive) {
      this.#instance = new Instance(instantiate(this.#coreModule, {}).operations);
    }
    return new PlannedCall(this.#instance, call);
  }
}

let shared: Planner | undefined;

const handedIn = new WeakMap<WebAssembly.Module, Planner>();

/** The planner of this process: of a core module, or of this package's file at its first use. */
export function sharedPlanner(core?: WebAssembly.Module): Planner {
  if (core === undefined) {
    shared ??= new Planner(coreModules(PLANNER));
    return shared;
  }
  const planner = handedIn.get(core) ?? new Planner(coreModules(PLANNER, core));
  handedIn.set(core, planner);
  return planner;
}

function toStep(progress: Progress): Step {
  if (progress.tag === "done") return { outcome: progress.val };
  const { access, statements } = progress.val.val;
  return {
    batch: {
      access,
      statements: statements.map(({ text, parameters }) => ({
        text,
        parameters: parameters.map((row) => row.map(fromWire)),
      })),
    },
  };
}

function fromWire(value: WireValue): SqlValue {
  return value.tag === "null" ? null : value.val;
}

function toWire(value: SqlValue): WireValue {
  switch (typeof value) {
    case "bigint":
      return { tag: "integer", val: value };
    case "number":
      return { tag: "real", val: value };
    case "string":
      return { tag: "text", val: value };
    default:
      return value === null ? { tag: "null" } : { tag: "blob", val: value };
  }
}
