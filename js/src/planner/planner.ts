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

/**
 * A store opened in an instance, the statement texts numbered so far, and the calls not started
 * yet.
 */
interface Opened {
  readonly instance: Instance;
  readonly store: number;
  readonly moment: (() => Moment) | undefined;
  readonly texts: string[];
  readonly waiting: { readonly call: PlannedCall; readonly given: Given }[];
}

/**
 * One call under way. It is encoded at once, and started when its step is first asked for, together
 * with all others encoded by then: so the planner is entered once for all of them.
 */
export class PlannedCall {
  readonly #opened: Opened;
  /** The number of the operation, while the instance has one. */
  #operation: number | undefined;
  #state: State | undefined;
  #isEnded = false;

  constructor(opened: Opened, call: Call) {
    this.#opened = opened;
    opened.instance.enter((core) => {
      opened.waiting.push({ call: this, given: core.give(toWireCall(call)) });
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
    const { instance, moment, texts } = this.#opened;
    instance.enter((core) => {
      const given = core.give(toWireAnswer(answer));
      this.#setState(core.advance(operation, given, giveMoment(core, moment)), texts);
    });
    this.#current();
  }

  /** Frees what the instance keeps of the call. A dead instance was freed as a whole. */
  end(): void {
    this.#isEnded = true;
    const operation = this.#operation;
    this.#operation = undefined;
    const { instance } = this.#opened;
    if (operation === undefined || !instance.alive) return;
    instance.enter((core) => core.end(operation));
  }

  #current(): Step & State {
    if (this.#state === undefined) this.#start();
    const state = this.#state;
    if (state === undefined) throw new ProtocolError("unbegun-call", "a call has not started");
    if ("refused" in state) throw state.refused;
    return state;
  }

  #start(): void {
    const { instance, store, moment, texts, waiting } = this.#opened;
    instance.enter((core) => {
      const started = waiting.splice(0);
      const calls = started.map(({ given }) => given);
      const progresses = core.start(store, calls, giveMoment(core, moment));
      for (const [index, { call }] of started.entries()) {
        const progress = progresses[index];
        if (progress !== undefined) call.#setState(progress, texts);
        // The call was dropped before it started, as when its saver was closed.
        if (call.#isEnded) call.end();
      }
    });
  }

  #setState(progress: WireProgress, texts: string[]): void {
    switch (progress[0]) {
      case 0: {
        const [, operation, access, statements, told] = progress;
        this.#operation = operation;
        const expected = told === null || told === true ? undefined : fromWireOutcome(told);
        const ends = told === true ? "always" : expected === undefined ? "never" : "with-rows";
        this.#state = { need: toNeed(access, statements, texts), ends, expected };
        return;
      }
      case 1:
        this.#state = { outcome: fromWireOutcome(progress[1]) };
        return;
      case 2:
        this.#state = { refused: fromWireRefusal(progress) };
        return;
      case 3: {
        const [, access, statements, outcome] = progress;
        const need = toNeed(access, statements, texts);
        this.#state = { need, ends: "always", expected: fromWireOutcome(outcome) };
        return;
      }
      case 4: {
        const [, operation, ...request] = progress;
        this.#operation = operation;
        this.#setNeed({ tag: "http", val: fromWireRequest(request) });
        return;
      }
      case 5:
        this.#operation = progress[1];
        this.#setNeed({ tag: "wait", val: progress[2] });
        return;
      case 6:
        this.#state = { outcome: { tag: "together", val: fromWireEnds(progress[1]) } };
    }
  }

  #setNeed(need: Need): void {
    this.#state = { need, ends: "never", expected: undefined };
  }
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
    const opened = { instance, store: number, moment, texts: [], waiting: [] };
    this.#opened = opened;
    if (before !== undefined) onReplaced?.();
    return opened;
  }
}
