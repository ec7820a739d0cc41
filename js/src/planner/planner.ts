// A store of the planner's: the steps of its calls, and the instance that they run in.

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

/** The planner numbers so many texts of statements. */
const TEXTS_MAX = 256;

/** How far a call is: it needs something, or has ended. */
export type Step = { readonly need: Need } | { readonly outcome: Outcome };

/** How far a call is, and what is known of what comes next. */
type Stand =
  | {
      readonly need: Need;
      /** Whether the answer ends the call; or only if the last statement gives rows. */
      readonly ends: "never" | "with-rows" | "always";
      /** The outcome that it then has; undefined if the planner has to be told the answer. */
      readonly expected: Outcome | undefined;
    }
  | { readonly outcome: Outcome }
  | { readonly refused: Error };

/** A store that was opened in an instance, and the texts that are numbered there. */
interface Opened {
  readonly instance: Instance;
  readonly store: number;
  readonly moment: (() => Moment) | undefined;
  readonly texts: string[];
}

/** One call under way. */
export class PlannedCall {
  readonly #opened: Opened;
  /** The number of the operation, for as long as the instance keeps one. */
  #operation: number | undefined;
  #stand: Stand;

  constructor(opened: Opened, call: Call) {
    this.#opened = opened;
    const { instance, store, moment } = opened;
    this.#stand = instance.enter((core) => {
      return this.#toStand(
        core.start(store, core.give(toWireCall(call)), giveMoment(core, moment)),
      );
    });
  }

  /** Where the call stands. Bad input is refused here. */
  get step(): Step {
    return this.#stood();
  }

  /** Whether these rows certainly end the call, if they answer the batch of the step. */
  endsWith(rowSets: readonly RowSet[]): boolean {
    const stand = this.#stood();
    if (!("ends" in stand)) return false;
    if (stand.ends !== "with-rows") return stand.ends === "always";
    const last = rowSets[rowSets.length - 1];
    return last !== undefined && last.rows.length > 0;
  }

  /** Answers the need of the step. */
  advance(answer: Answer): void {
    const stand = this.#stood();
    const expected = "expected" in stand ? stand.expected : undefined;
    if (expected !== undefined && answer.tag === "sql" && this.endsWith(answer.val)) {
      this.#stand = { outcome: expected };
      this.end();
      return;
    }
    const operation = this.#operation ?? 0;
    this.#operation = undefined;
    const { instance, moment } = this.#opened;
    this.#stand = instance.enter((core) => {
      const given = core.give(toWireAnswer(answer));
      return this.#toStand(core.advance(operation, given, giveMoment(core, moment)));
    });
    this.#stood();
  }

  /** Frees what the instance keeps of the call; a dead one was freed whole. */
  end(): void {
    const operation = this.#operation;
    this.#operation = undefined;
    const { instance } = this.#opened;
    if (operation === undefined || !instance.alive) return;
    instance.enter((core) => core.end(operation));
  }

  #stood(): Step & Stand {
    const stand = this.#stand;
    if ("refused" in stand) throw stand.refused;
    return stand;
  }

  #toStand(progress: WireProgress): Stand {
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

function needs(need: Need): Stand {
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

/** What a planner is made of. */
export interface PlannerOptions {
  /** Gives the compiled core module. */
  readonly core: () => WebAssembly.Module;
  /** Which store, as `open` of wit/planner/wire.wit takes it. */
  readonly store: WireValue;
  /** The moment of a step; left out for a store of SQL, which looks at none. */
  readonly moment?: () => Moment;
  /** Called when another instance has taken the place of one that failed. */
  readonly onReplaced?: () => void;
}

/** A store of the planner's, in one instance for as long as that lives. */
export class Planner {
  readonly #options: PlannerOptions;
  #opened: Opened | undefined;
  #unshown: readonly UnshownCall[] = [];

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** Opens the store, again if its instance failed. Bad options are refused here. */
  open(): void {
    this.#live();
  }

  /** Takes a call, which begins when its step is asked for. */
  start(call: Call): PlannedCall {
    return new PlannedCall(this.#live(), call);
  }

  /** What the store keeps in memory; undefined if its instance failed, and all is lost. */
  status(): Status | undefined {
    if (!this.#opened?.instance.alive) return undefined;
    const { instance, store } = this.#opened;
    const status = fromWireStatus(accepted(instance.enter((core) => core.status(store))));
    // What is acknowledged outlives the instance: the next one waits for it.
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
