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
  /** The values that forks of a thread share; undefined if forks share none. */
  readonly shared: string | undefined;
}

/** Something to tell the person who takes a database over. */
export interface Note {
  readonly code: string;
  readonly message: string;
}

/** Which checkpoint: its thread, namespace and id. */
export type Address = readonly [threadId: string, checkpointNs: string, checkpointId: string];

/** The calls that store a stock checkpoint again. */
export interface Takeover {
  /** Its writes, one call for each task. The last call is its put, if it is stored. */
  readonly calls: readonly TakeoverCall[];
  readonly notes: readonly Note[];
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
    const [threads, checkpoints, checkpoint, writes, values, shared] = this.#ask<WireStatements>([
      1,
      tables,
    ]);
    const texts = [checkpoint, writes, values].filter((text) => text !== null);
    return { threads, checkpoints, checkpoint: texts, shared: shared ?? undefined };
  }

  /** The calls for what is stored of a checkpoint. Throws if it cannot be taken apart. */
  takeover(address: Address, [row = [], writes = [], values = []]: readonly StockRows[]): Takeover {
    const [calls, notes] = this.#ask<WireTakeover>([2, address, row, writes, values]);
    return { calls: calls.map(fromWireCall), notes: notes.map(toNote) };
  }

  /** What to tell about values that forks share. */
  sharedByForks(rows: StockRows): Note[] {
    const [notes] = this.#ask<[notes: [string, string][]]>([3, rows]);
    return notes.map(toNote);
  }

  #ask<Fields extends unknown[]>(question: WireValue): Fields {
    const answer = this.#instance.enter((wire) => wire.takeover<Fields>(this.#store, question));
    const [, ...fields] = accepted(answer);
    return fields;
  }
}

function toNote([code, message]: [string, string]): Note {
  return { code, message };
}
