// Tables of LangGraph's own savers that threads are exported to.

import type { SqlValue, StorageAdapter } from "../../planner/adapter.js";
import type { Exported } from "../../planner/contract.js";
import {
  type Language,
  type NewStockRows,
  type StockInsert,
  type StockInserts,
  type StockParameters,
  TakeoverPlanner,
} from "../../planner/takeover.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import { ownCore } from "../../stores/postgres/core.js";
import { named } from "./location.js";
import { openSaver } from "./target.js";

type Rows = readonly (readonly SqlValue[])[];

/** How rows compare with those that are stored. */
export interface Comparison {
  /** How many are stored, and the same. */
  readonly same: number;
  readonly different: number;
  readonly missing: number;
}

/** Stock tables, opened to write. */
export class StockTables {
  readonly #location: string;
  readonly #adapter: StorageAdapter;
  readonly #planner: TakeoverPlanner;
  readonly #inserts: StockInserts;
  readonly #language: Language;
  readonly close: () => Eventually<unknown>;

  private constructor(
    location: string,
    adapter: StorageAdapter,
    planner: TakeoverPlanner,
    inserts: StockInserts,
    language: Language,
    close: () => Eventually<unknown>,
  ) {
    this.#location = location;
    this.#adapter = adapter;
    this.#planner = planner;
    this.#inserts = inserts;
    this.#language = language;
    this.close = close;
  }

  /** Opens a file or a schema, and makes missing tables. Throws if they are another saver's. */
  static async open(location: string, schema: string, language: Language): Promise<StockTables> {
    const { saver, close } = await openSaver(location, schema);
    try {
      const { adapter } = saver;
      const { dialect = { name: "sqlite" } } = adapter;
      const planner = new TakeoverPlanner(ownCore(), dialect);
      const find = planner.findTables();
      const [found] = await adapter.run({ access: "read", statements: [find] });
      const inserts = planner.inserts(language, found?.rows ?? []);
      const statements = inserts.create.map((text) => ({ text, parameters: [[]] }));
      if (statements.length > 0) await adapter.run({ access: "write", statements });
      return new StockTables(location, adapter, planner, inserts, language, close);
    } catch (thrown) {
      await close();
      throw thrown;
    }
  }

  /** The rows for what is stored of a checkpoint. */
  rows(exported: Exported): NewStockRows {
    return this.#planner.rows(this.#language, exported);
  }

  /** How many checkpoints and writes of a thread are there. */
  async stored(thread: string): Promise<readonly [checkpoints: number, writes: number]> {
    const [[row = []] = []] = await this.#run("read", [[this.#inserts.stored, [[thread]]]]);
    const [checkpoints, writes] = row;
    return [Number(checkpoints), Number(writes)];
  }

  /** Compares the row of a checkpoint with the one that is there. */
  async compareCheckpoint({ checkpoint }: NewStockRows): Promise<Comparison> {
    const rows = checkpoint === undefined ? [] : [checkpoint];
    return this.#compare(this.#inserts.checkpoint, rows);
  }

  /** Compares the rows of writes with those that are there. */
  async compareWrites({ writes }: NewStockRows): Promise<Comparison> {
    return this.#compare(this.#inserts.write, writes);
  }

  /**
   * Stores the values beside a checkpoint. Whether they are what is stored then: a value of the
   * same channel and version stays.
   */
  async storeValues({ values }: NewStockRows): Promise<boolean> {
    const { value } = this.#inserts;
    if (value === undefined || values.length === 0) return true;
    const [, same = []] = await this.#run("write", [
      [value.insert, values],
      [value.same, values],
    ]);
    return same.every(([is]) => Number(is) === 1);
  }

  /** Stores a checkpoint and writes. Rows of the same keys stay. */
  async store({ checkpoint, writes }: NewStockRows): Promise<void> {
    await this.#run("write", [
      [this.#inserts.checkpoint.insert, checkpoint === undefined ? [] : [checkpoint]],
      [this.#inserts.write.insert, writes],
    ]);
  }

  async #compare({ same }: StockInsert, rows: StockParameters): Promise<Comparison> {
    const [found = []] = await this.#run("read", [[same, rows]]);
    const equal = found.filter(([is]) => Number(is) === 1).length;
    return {
      same: equal,
      different: found.length - equal,
      missing: rows.length - found.length,
    };
  }

  /** Runs statements for rows of parameters. One without rows is not run. */
  async #run(
    access: "read" | "write",
    given: readonly (readonly [text: string, parameters: StockParameters])[],
  ): Promise<Rows[]> {
    const statements = given
      .filter(([, parameters]) => parameters.length > 0)
      .map(([text, parameters]) => ({ text, parameters }));
    if (statements.length === 0) return [];
    const run = () => this.#adapter.run({ access, statements });
    const sets = await named(this.#location, run);
    return sets.map(({ rows }) => rows);
  }
}
