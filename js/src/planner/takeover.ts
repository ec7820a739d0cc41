// What the planner knows of stock databases, which LangGraph's own savers have made.

import type { Dialect, SqlValue, Statement } from "./adapter.js";
import { Instance } from "./instance.js";
import { toWireStore } from "./shared-planner.js";
import type { WireValue } from "./wire/call.js";
import { accepted } from "./wire/progress.js";
import {
  fromWireCall,
  type TakeoverCall,
  type WireFinding,
  type WireStatements,
  type WireTakeover,
} from "./wire/takeover.js";

export type { TakeoverCall } from "./wire/takeover.js";

/** The rows of one statement. */
export type StockRows = readonly (readonly SqlValue[])[];

/** The texts of the statements that read a stock database. None of them writes. */
export interface StockStatements {
  /** The id of each thread, in order. */
  readonly threads: string;
  /** The namespace and id of a thread's checkpoints, in the order to take them over. */
  readonly checkpoints: string;
  /** What is stored of one checkpoint, by thread, namespace and id: its row, writes, and values. */
  readonly checkpoint: readonly string[];
}

/** Which checkpoint: its thread, namespace and id. */
export type Address = readonly [threadId: string, checkpointNs: string, checkpointId: string];

/** The calls that store a stock checkpoint again. */
export interface Takeover {
  /** Its writes, one call for each task. The last call is its put, if it is stored. */
  readonly calls: readonly TakeoverCall[];
  /** What to tell the person who takes the database over. */
  readonly notes: readonly { readonly code: string; readonly message: string }[];
}

/** Answers questions about one kind of stock database. */
export class TakeoverPlanner {
  readonly #instance: Instance;
  readonly #store: number;

  /**
   * @param core A core module with takeovers: that of PostgreSQL, which has SQLite too.
   * @param dialect The kind of database, and in PostgreSQL the schema.
   */
  constructor(core: WebAssembly.Module, dialect: Dialect) {
    this.#instance = new Instance(core);
    const opened = this.#instance.enter((wire) => wire.open(toWireStore(dialect)));
    [, this.#store] = accepted(opened);
  }

  /** The statement that finds the stock tables. */
  findTables(): Statement {
    const [text, parameters] = this.#ask<WireFinding>([0]);
    return { text, parameters };
  }

  /** The statements for the tables that were found. Throws if they are not stock tables. */
  statements(tables: StockRows): StockStatements {
    const [threads, checkpoints, ...more] = this.#ask<WireStatements>([1, tables]);
    return { threads, checkpoints, checkpoint: more.filter((text) => text !== null) };
  }

  /** The calls for what is stored of a checkpoint. Throws if it cannot be taken apart. */
  takeover(address: Address, [row = [], writes = [], values = []]: readonly StockRows[]): Takeover {
    const [calls, notes] = this.#ask<WireTakeover>([2, address, row, writes, values]);
    return {
      calls: calls.map(fromWireCall),
      notes: notes.map(([code, message]) => ({ code, message })),
    };
  }

  #ask<Fields extends unknown[]>(question: WireValue): Fields {
    const answer = this.#instance.enter((wire) => wire.takeover<Fields>(this.#store, question));
    const [, ...fields] = accepted(answer);
    return fields;
  }
}
