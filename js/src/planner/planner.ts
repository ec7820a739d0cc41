// A store in the planner: its calls, and the instance that they run in.

import { ProtocolError } from "../errors.js";
import type { Batch, RowSet, Statement } from "./adapter.js";
import type { Answer, Call, Moment, Need, Outcome, Status, UnshownCall } from "./contract.js";
import { Instance } from "./instance.js";
import { toWireAnswer, toWireCall, toWireMoment, type WireValue } from "./wire/call.js";
import { type Given, NOTHING, type WireCore } from "./wire/core.js";
import {
  accepted,
  fromWireEnds,
  fromWireOutcome,
  fromWireRefusal,
  fromWireRequest,
  fromWireStatus,
  type WireProgress,
  type WireStatement,
} from "./wire/progress.js";

/** The planner numbers at most this many statement texts. */
const TEXTS_MAX = 256;

/** What a call needs next, or its outcome. */
export type Step = { readonly need: Need } | { readonly outcome: Outcome };

/** The state of a call: waiting (maybe with a predicted outcome), done, or refused. */
type State =
  | {
      readonly need: Need;
      /** When the answer ends the call; `with-rows`: if the last statement gives rows. */
      readonly ends: "never" | "with-rows" | "always";
      /** The outcome in that case; undefined if the planner has to be given the answer first. */
      readonly expected: Outcome | undefined;
    }
  | { readonly outcome: Outcome }
  | { readonly refused: Error };

/** A store opened in an instance, and the statement texts numbered so far. */
interface Opened {
  readonly instance: Instance;
  readonly store: number;
  readonly moment: (() => Moment) | undefined;
  readonly texts: string[];
}

/** One call under way. */
export class PlannedCall {
  readonly #opened: Opened;
  /** The number of the operation, while the instance has one. */
  #operation: number | undefined;
  #state: State;

  constructor(opened: Opened, call: Call) {
    this.#opened = opened;
    const { instance, store, moment } = opened;
    this.#state = instance.enter((core) => {
      return this.#toState(
        core.start(store, core.give(toWireCall(call)), giveMoment(core, moment)),
      );
    });
  }

  /** The step of the call. Throws if the planner refused the call. */
  get step(): Step {
    return this.#current();
  }

  /** Whether the call certainly ends if these row sets answer its batch. */
  endsWith(rowSets: readonly RowSet[]): boolean {
    const state = this.#current();
    if (!("ends" in state)) return false;
    if (state.ends !== "with-rows") return state.ends === "always";
    const last = rowSets[rowSets.length - 1];
    return last !== undefined && last.rows.length > 0;
  }

  /** Answers the need of the step. Throws if the planner refuses. */
  advance(answer: Answer): void {
    const state = this.#current();
    const expected = "expected" in state ? state.expected : undefined;
    if (expected !== undefined && answer.tag === "sql" && this.endsWith(answer.val)) {
      this.#state = { outcome: expected };
      this.end();
      return;
    }
    const operation = this.#operation ?? 0;
    this.#operation = undefined;
    const { instance, moment } = this.#opened;
    this.#state = instance.enter((core) => {
      const given = core.give(toWireAnswer(answer));
      return this.#toState(core.advance(operation, given, giveMoment(core, moment)));
    });
    this.#current();
  }

  /** Frees what the instance keeps of the call. A dead instance was freed as a whole. */
  end(): void {
    const operation = this.#operation;
    this.#operation = undefined;
    const { instance } = this.#opened;
    if (operation === undefined || !instance.alive) return;
    instance.enter((core) => core.end(operation));
  }

  #current(): Step & State {
    const state = this.#state;
    if ("refused" in state) throw state.refused;
    return state;
  }

  #toState(progress: WireProgress): State {
    const { texts } = this.#opened;
    switch (progress[0]) {
      case 0: {
        const [, operation, access, statements, told] = progress;
        this.#operation = operation;
        const expected = told === null || told === true ? undefined : fromWireOutcome(told);
        const ends = told === true ? "always" : expected === undefined ? "never" : "with-rows";
        return { need: toNeed(access, statements, texts), ends, expected };
      }
      case 1:
        return { outcome: fromWireOutcome(progress[1]) };
      case 2:
        return { refused: fromWireRefusal(progress) };
      case 3: {
        const [, access, statements, outcome] = progress;
        const need = toNeed(access, statements, texts);
        return { need, ends: "always", expected: fromWireOutcome(outcome) };
      }
      case 4: {
        const [, operation, ...request] = progress;
        this.#operation = operation;
        return needs({ tag: "http", val: fromWireRequest(request) });
      }
      case 5:
        this.#operation = progress[1];
        return needs({ tag: "wait", val: progress[2] });
      case 6:
        return { outcome: { tag: "together", val: fromWireEnds(progress[1]) } };
    }
  }
}

function needs(need: Need): State {
  return { need, ends: "never", expected: undefined };
}

function giveMoment(core: WireCore, moment: (() => Moment) | undefined): Given {
  return moment === undefined ? NOTHING : core.give(toWireMoment(moment()));
}

function toNeed(access: 0 | 1, statements: WireStatement[], texts: string[]): Need {
  const val: Batch = {
    access: access === 0 ? "read" : "write",
    statements: statements.map((statement) => toStatement(statement, texts)),
  };
  return { tag: "sql", val };
}

function toStatement([text, parameters]: WireStatement, texts: string[]): Statement {
  if (typeof text === "string") {
    if (texts.length < TEXTS_MAX) texts.push(text);
    return { text, parameters };
  }
  const known = texts[text];
  if (known !== undefined) return { text: known, parameters };
  throw new ProtocolError("unknown-statement", `the planner numbered no statement ${text}`);
}

/** What to make a planner of. */
export interface PlannerOptions {
  /** Gives the compiled core module. */
  readonly core: () => WebAssembly.Module;
  /** Which store, as `open` of wit/planner/wire.wit takes it. */
  readonly store: WireValue;
  /** Gives the moment of each step. Undefined for SQL stores, which need no time. */
  readonly moment?: () => Moment;
  /** Called after a failed instance was replaced. */
  readonly onReplaced?: () => void;
}

/** A store in the planner. Replaces the instance when it has failed. */
export class Planner {
  readonly #options: PlannerOptions;
  #opened: Opened | undefined;
  #unshown: readonly UnshownCall[] = [];

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** Opens the store, again if its instance failed. Throws if the options are refused. */
  open(): void {
    this.#live();
  }

  /** Takes a call. It starts when its step is first asked for. */
  start(call: Call): PlannedCall {
    return new PlannedCall(this.#live(), call);
  }

  /** What the store keeps in memory. Undefined if its instance failed: then all of that is lost. */
  status(): Status | undefined {
    if (!this.#opened?.instance.alive) return undefined;
    const { instance, store } = this.#opened;
    const status = fromWireStatus(accepted(instance.enter((core) => core.status(store))));
    // Calls that were sent outlive the instance: the next one waits until queries show them.
    this.#unshown = status.unshown;
    return status;
  }

  #live(): Opened {
    const before = this.#opened;
    if (before?.instance.alive) return before;
    const { core, store, moment, onReplaced } = this.#options;
    const instance = new Instance(core());
    const [, number] = accepted(instance.enter((wire) => wire.open(store)));
    if (this.#unshown.length > 0) {
      accepted(instance.enter((wire) => wire.awaitShown(number, this.#unshown)));
    }
    const opened = { instance, store: number, moment, texts: [] };
    this.#opened = opened;
    if (before !== undefined) onReplaced?.();
    return opened;
  }
}
