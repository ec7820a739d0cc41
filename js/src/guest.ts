// The only file that knows the generated code: it makes planner instances, converts SQL values
// at the boundary, and replaces an instance that failed.

import { instantiate } from "../generated/planner.js";
import type { Batch, RowSet, SqlValue } from "./adapters/adapter.js";
import { readCoreModule } from "./core-modules.js";
import { refusalOf } from "./errors.js";

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

/** Gives the compiled core module of a name. */
export type CoreModules = (name: string) => WebAssembly.Module;

/** The instance failed in a way that is no refusal, as at a trap. It is of no more use. */
export class PlannerFailure extends Error {
  override readonly name = "PlannerFailure";
}

// Runtimes without the symbol get this one from the generated code.
const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

/** One instance of the planner. A call that fails leaves it dead. */
class Instance {
  readonly #operations: Operations;
  alive = true;

  constructor(coreModule: CoreModules) {
    this.#operations = instantiate(coreModule, {}).operations;
  }

  start(call: Call): [Operation, Progress] {
    return this.enter(() => begin(this.#operations, call));
  }

  enter<T>(run: () => T): T {
    try {
      return run();
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal !== undefined) throw refusal;
      this.alive = false;
      throw new PlannerFailure("the planner's instance failed", { cause: thrown });
    }
  }
}

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
  readonly #instance: Instance;
  readonly #operation: Operation;
  #step: Step;

  constructor(instance: Instance, call: Call) {
    const [operation, progress] = instance.start(call);
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

  /** Frees what the instance keeps of the call; a dead one was freed whole. */
  end(): void {
    if (!this.#instance.alive) return;
    const dispose: unknown = Reflect.get(this.#operation, DISPOSE);
    if (typeof dispose === "function") this.#instance.enter(() => dispose.call(this.#operation));
  }
}

/** Starts calls, on one instance for as long as that lives. */
export class Planner {
  readonly #coreModule: CoreModules;
  #instance: Instance | undefined;

  constructor(coreModule: CoreModules) {
    const compiled = new Map<string, WebAssembly.Module>();
    this.#coreModule = (name) => {
      const module = compiled.get(name) ?? coreModule(name);
      compiled.set(name, module);
      return module;
    };
  }

  /** Begins a call. Bad input is refused here. */
  start(call: Call): PlannedCall {
    if (!this.#instance?.alive) this.#instance = new Instance(this.#coreModule);
    return new PlannedCall(this.#instance, call);
  }
}

let shared: Planner | undefined;

/** The planner of this process, loaded from this package's files at its first use. */
export function sharedPlanner(): Planner {
  shared ??= new Planner(readCoreModule);
  return shared;
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
