// The planner for SQL: the steps of a call, and the instances that it runs in.

import { ProtocolError, refusal } from "../errors.js";
import type { Batch, RowSet, Statement } from "./adapter.js";
import type { Call, Outcome } from "./calls.js";
import { coreModules } from "./core-modules.js";
import { CORE } from "./core-of-sql.js";
import { type CoreModules, compiledOnce, Instance } from "./instance.js";
import { packCall } from "./wire/call.js";
import { type Given, PackedCore } from "./wire/core.js";
import { type PackedProgress, type PackedStatement, unpackOutcome } from "./wire/progress.js";

/** The planner numbers so many texts of statements. */
const TEXTS_MAX = 256;

/** How far a call is: a batch to run, or its end. */
export type Step = { readonly batch: Batch } | { readonly outcome: Outcome };

/**
 * Where a call stands: at a step, maybe one that ends it, in any case or where the last statement
 * gives rows, and maybe in an outcome that is known.
 */
type Stand =
  | {
      readonly batch: Batch;
      readonly ends: "never" | "with-rows" | "always";
      readonly expected: Outcome | undefined;
    }
  | { readonly outcome: Outcome }
  | { readonly refused: Error };

/** An instance of the core module, the texts that it has numbered, and the calls to begin. */
interface Numbered {
  readonly core: PackedCore;
  readonly texts: string[];
  readonly waiting: { readonly call: PlannedCall; readonly given: Given }[];
}

/**
 * One call under way. It is written down at once and begun when its step is first asked for, with
 * all that have been written down by then: the planner is entered once for them.
 */
export class PlannedCall {
  readonly #instance: Instance<Numbered>;
  /** The number of the operation, for as long as the instance keeps one. */
  #operation: number | undefined;
  #stand: Stand | undefined;
  #isEnded = false;

  constructor(instance: Instance<Numbered>, call: Call) {
    this.#instance = instance;
    instance.enter(({ core, waiting }) => {
      waiting.push({ call: this, given: core.give(packCall(call)) });
    });
  }

  /** Where the call stands. Bad input is refused here. */
  get step(): Step {
    return this.#stood();
  }

  /** Whether this answer to the batch of the step certainly ends the call. */
  endsWith(rowSets: readonly RowSet[]): boolean {
    const stand = this.#stood();
    if (!("ends" in stand)) return false;
    if (stand.ends !== "with-rows") return stand.ends === "always";
    const last = rowSets[rowSets.length - 1];
    return last !== undefined && last.rows.length > 0;
  }

  /** Answers the batch of the step. */
  advance(rowSets: readonly RowSet[]): void {
    const stand = this.#stood();
    if ("expected" in stand && stand.expected !== undefined && this.endsWith(rowSets)) {
      this.#stand = { outcome: stand.expected };
      this.end();
      return;
    }
    const operation = this.#operation ?? 0;
    const answer = rowSets.map(({ rows }) => rows);
    this.#operation = undefined;
    this.#instance.enter(({ core, texts }) => {
      this.#stands(core.advance(operation, answer), texts);
    });
    this.#stood();
  }

  /** Frees what the instance keeps of the call; a dead one was freed whole. */
  end(): void {
    this.#isEnded = true;
    const operation = this.#operation;
    this.#operation = undefined;
    if (operation === undefined || !this.#instance.alive) return;
    this.#instance.enter(({ core }) => core.end(operation));
  }

  #stood(): Step & Stand {
    if (this.#stand === undefined) this.#instance.enter(PlannedCall.#begin);
    const stand = this.#stand;
    if (stand === undefined) throw new ProtocolError("unbegun-call", "a call has not begun");
    if ("refused" in stand) throw stand.refused;
    return stand;
  }

  static #begin({ core, texts, waiting }: Numbered): void {
    const begun = waiting.splice(0);
    const stands = core.start(begun.map(({ given }) => given));
    for (const [index, { call }] of begun.entries()) {
      const progress = stands[index];
      if (progress !== undefined) call.#stands(progress, texts);
      // Nobody came for it, as when its saver was closed.
      if (call.#isEnded) call.end();
    }
  }

  #stands(progress: PackedProgress, texts: string[]): void {
    switch (progress[0]) {
      case 0: {
        const [, operation, access, statements, told] = progress;
        this.#operation = operation;
        const expected = told === null || told === true ? undefined : unpackOutcome(told);
        const ends = told === true ? "always" : expected === undefined ? "never" : "with-rows";
        this.#stand = { batch: toBatch(access, statements, texts), ends, expected };
        return;
      }
      case 1:
        this.#stand = { outcome: unpackOutcome(progress[1]) };
        return;
      case 2: {
        const [, tag, code, message, maybeStored] = progress;
        this.#stand = { refused: refusal(tag, { code, message, maybeStored }) };
        return;
      }
      case 3: {
        const [, access, statements, outcome] = progress;
        const batch = toBatch(access, statements, texts);
        this.#stand = { batch, ends: "always", expected: unpackOutcome(outcome) };
      }
    }
  }
}

function toBatch(access: 0 | 1, statements: PackedStatement[], texts: string[]): Batch {
  return {
    access: access === 0 ? "read" : "write",
    statements: statements.map((statement) => toStatement(statement, texts)),
  };
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

  /** Takes a call, which begins when its step is asked for. */
  start(call: Call): PlannedCall {
    if (!this.#instance?.alive) {
      const core = new PackedCore(this.#coreModule(CORE.name));
      this.#instance = new Instance({ core, texts: [], waiting: [] });
    }
    return new PlannedCall(this.#instance, call);
  }
}

let shared: Planner | undefined;

const handedIn = new WeakMap<WebAssembly.Module, Planner>();

/** The planner of this process: of a core module, or of this package's file at its first use. */
export function sharedPlanner(core?: WebAssembly.Module): Planner {
  if (core === undefined) {
    shared ??= new Planner(coreModules(CORE));
    return shared;
  }
  const planner = handedIn.get(core) ?? new Planner(coreModules(CORE, core));
  handedIn.set(core, planner);
  return planner;
}
