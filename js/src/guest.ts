// The planner for SQL: its calls and steps, and the instances that it runs in.

import type * as wit from "../generated/interfaces/langgraph-checkpoint-operations.js";
import type { Batch, RowSet, Statement } from "./adapters/adapter.js";
import { type CoreModule, coreModules } from "./core-modules.js";
import { ProtocolError, refusal } from "./errors.js";
import { type CoreModules, compiledOnce, Instance } from "./instance.js";
import { packCall } from "./packed/call.js";
import { PackedCore } from "./packed/core.js";
import { type PackedProgress, type PackedStatement, unpackOutcome } from "./packed/progress.js";

/** It is written out, so that tools that gather a program's files find it. */
const PLANNER: CoreModule = {
  name: "planner.core.wasm",
  file: () => new URL("../generated/planner.core.wasm", import.meta.url),
};

/** The planner numbers so many texts of statements. */
const TEXTS_MAX = 256;

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

/** How far a call is: a batch to run, or its end. */
export type Step = { readonly batch: Batch } | { readonly outcome: Outcome };

/** An instance of the core module, and the texts that it has numbered. */
interface Numbered {
  readonly core: PackedCore;
  readonly texts: string[];
}

/** One call under way. */
export class PlannedCall {
  readonly #instance: Instance<Numbered>;
  /** The number of the operation, for as long as the instance keeps one. */
  #operation: number | undefined;
  #step: Step;

  constructor(instance: Instance<Numbered>, call: Call) {
    this.#instance = instance;
    this.#step = this.#toStep(instance.enter(({ core }) => core.start(packCall(call))));
  }

  /** Where the call stands. */
  get step(): Step {
    return this.#step;
  }

  /** Answers the batch of the step. */
  advance(rowSets: readonly RowSet[]): void {
    const operation = this.#operation ?? 0;
    const answer = rowSets.map(({ rows }) => rows);
    this.#operation = undefined;
    this.#step = this.#toStep(this.#instance.enter(({ core }) => core.advance(operation, answer)));
  }

  /** Frees what the instance keeps of the call; a dead one was freed whole. */
  end(): void {
    const operation = this.#operation;
    this.#operation = undefined;
    if (operation === undefined || !this.#instance.alive) return;
    this.#instance.enter(({ core }) => core.end(operation));
  }

  #toStep(progress: PackedProgress): Step {
    switch (progress[0]) {
      case 0: {
        const [, operation, access, statements] = progress;
        this.#operation = operation;
        return this.#instance.enter(({ texts }) => ({
          batch: {
            access: access === 0 ? "read" : "write",
            statements: statements.map((statement) => toStatement(statement, texts)),
          },
        }));
      }
      case 1:
        return { outcome: unpackOutcome(progress[1]) };
      case 2: {
        const [, tag, code, message, maybeStored] = progress;
        throw refusal(tag, { code, message, maybeStored });
      }
    }
  }
}

function toStatement([text, parameters]: PackedStatement, texts: string[]): Statement {
  if (typeof text === "string") {
    if (texts.length < TEXTS_MAX) texts.push(text);
    return { text, parameters };
  }
  const known = texts[text];
  if (known !== undefined) return { text: known, parameters };
  throw new ProtocolError("unknown-statement", `the planner numbered no statement ${text}`);
}

/** Starts calls, on one instance for as long as that lives. */
export class Planner {
  readonly #coreModule: CoreModules;
  #instance: Instance<Numbered> | undefined;

  constructor(coreModule: CoreModules) {
    this.#coreModule = compiledOnce(coreModule);
  }

  /** Begins a call. Bad input is refused here. */
  start(call: Call): PlannedCall {
    if (!this.#instance?.alive) {
      const core = new PackedCore(this.#coreModule(PLANNER.name));
      this.#instance = new Instance({ core, texts: [] });
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
