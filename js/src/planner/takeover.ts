// What the planner knows of stock databases, which LangGraph's own savers have made.

import type { Dialect, SqlParameter, SqlValue, Statement } from "./adapter.js";
import type { Exported } from "./contract.js";
import { Instance } from "./instance.js";
import { toWireStore } from "./shared-planner.js";
import type { WireValue } from "./wire/call.js";
import { accepted } from "./wire/progress.js";
import {
  fromWireCall,
  type TakeoverCall,
  toWireExported,
  type WireFinding,
  type WireInsert,
  type WireInserts,
  type WireRows,
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

/** The language of the saver whose tables are written. */
export type Language = "js" | "python";

/** The texts that store a row. */
export interface StockInsert {
  /** Stores it. A row of the same key stays. */
  readonly insert: string;
  /** Gives 1 if the stored row is the same, 0 if it differs, and no row if there is none. */
  readonly same: string;
}

/** The statements that write a stock database. */
export interface StockInserts {
  /** Make missing tables. */
  readonly create: readonly string[];
  /** How many checkpoints and writes a thread has. */
  readonly stored: string;
  readonly checkpoint: StockInsert;
  /** Undefined if no value is stored beside its checkpoint. */
  readonly value: StockInsert | undefined;
  readonly write: StockInsert;
}

/** The rows of one checkpoint, as parameters of the statements. */
export interface NewStockRows {
  /** Undefined if it is not stored, or does not fit. */
  readonly checkpoint: readonly SqlParameter[] | undefined;
  readonly values: readonly (readonly SqlParameter[])[];
  readonly writes: readonly (readonly SqlParameter[])[];
  readonly notes: readonly Note[];
  /** What has no row, and why. */
  readonly problems: readonly Note[];
}

/** Something to tell the person who moves a database. */
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

  /** The statements that write these tables. Throws if they are another saver's. */
  inserts(language: Language, tables: StockRows): StockInserts {
    const [create, stored, checkpoint, value, write] = this.#ask<WireInserts>([
      4,
      LANGUAGES[language],
      tables,
    ]);
    return {
      create,
      stored,
      checkpoint: toInsert(checkpoint),
      value: value === null ? undefined : toInsert(value),
      write: toInsert(write),
    };
  }

  /** The rows for what is stored of a checkpoint. */
  rows(language: Language, exported: Exported): NewStockRows {
    const [checkpoint, values, writes, notes, problems] = this.#ask<WireRows>([
      5,
      LANGUAGES[language],
      ...toWireExported(exported),
    ]);
    return {
      checkpoint: checkpoint ?? undefined,
      values,
      writes,
      notes: notes.map(toNote),
      problems: problems.map(toNote),
    };
  }

  #ask<Fields extends unknown[]>(question: WireValue): Fields {
    const answer = this.#instance.enter((wire) => wire.takeover<Fields>(this.#store, question));
    const [, ...fields] = accepted(answer);
    return fields;
  }
}

const LANGUAGES: Readonly<Record<Language, number>> = { js: 0, python: 1 };

function toInsert([insert, same]: WireInsert): StockInsert {
  return { insert, same };
}

function toNote([code, message]: [string, string]): Note {
  return { code, message };
}
