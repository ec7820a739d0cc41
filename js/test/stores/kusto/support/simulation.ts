// Random calls on Kusto through a faulty network. A SQLite database in memory gets those that took
// effect. Both must then give the same.

import type { CheckpointTuple } from "@langchain/langgraph-checkpoint";

import { StoreError } from "../../../../src/entries/index.js";
import type { KustoSaver } from "../../../../src/entries/kusto.js";
import { SqliteSaver } from "../../../../src/entries/sqlite.js";
import { all, checkpoint, config, idOf, metadata } from "../../../support/checkpoints.js";
import { expectSame } from "../../../support/twins.js";
import type { FaultyFetch } from "./faults.js";
import type { Random } from "./random.js";
import type { Table } from "./target.js";

type Saver = KustoSaver | SqliteSaver;

/** A call for either saver. */
interface Call {
  readonly name: string;
  readonly thread: string;
  readonly namespace: string;
  make(saver: Saver): Promise<unknown>;
}

/** How calls ended. */
export interface Tally {
  stored: number;
  nothing: number;
  unknown: number;
}

const THREADS = ["t0", "t1", 'it\'s; "t2" // \u2028'];
const NAMESPACES = ["", "inner|1"];

/** What a simulation runs on. */
export interface Stage {
  readonly random: Random;
  readonly network: FaultyFetch;
  readonly table: Table;
  /** What may happen to rows in the store itself; empty on a real cluster. */
  readonly storeFaults: readonly object[];
  readonly savers: readonly KustoSaver[];
  /** A saver on a working network, without a cache. */
  readonly witness: KustoSaver;
  /** Whether there is one saver, with write-behind. Others see what it did after a flush. */
  readonly writeBehind: boolean;
}

/** A simulation of one seed. */
export class Simulation {
  readonly #stage: Stage;
  readonly #reference = SqliteSaver.fromConnString(":memory:");
  readonly #messages = new Map<string, { text: string }[]>();
  readonly tally: Tally = { stored: 0, nothing: 0, unknown: 0 };
  #number = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Makes one call, then checks its thread. */
  async step(): Promise<void> {
    const { random, savers, witness, writeBehind } = this.#stage;
    const call = await this.#draw();
    const saver = random.pick(savers);
    const judge = writeBehind ? saver : witness;
    const outcome = await this.#make(call, saver);
    this.tally[outcome] += 1;
    if (outcome === "stored") {
      await call.make(this.#reference);
      // The saver itself sees what others may not see yet.
      await this.#expectLatest(saver, call);
    }
    await this.#showAll();
    if (outcome === "unknown" && (await this.#differs(judge, call.thread))) {
      await call.make(this.#reference);
    }
    await this.#expectThread(judge, call.thread, `${call.name} (${outcome})`);
    await this.#expectLatest(saver, call);
  }

  /** Flushes through the faulty network. If that succeeds, every saver sees everything. */
  async flush(): Promise<void> {
    for (const saver of this.#stage.savers) {
      const outcome = await this.#attempt(() => saver.flush());
      this.tally[outcome] += 1;
      await this.#showAll();
      if (outcome !== "stored") return;
    }
    for (const thread of THREADS) await this.#expectThread(this.#stage.witness, thread, "a flush");
  }

  /** Checks everything. */
  async expectAll(): Promise<void> {
    const { savers, witness } = this.#stage;
    for (const saver of savers) await saver.flush();
    for (const thread of THREADS) {
      for (const saver of [...savers, witness]) {
        await this.#expectThread(saver, thread, "the end");
      }
    }
    expectSame(
      (await all(witness.list({}))).sort(byId),
      (await all(this.#reference.list({}))).sort(byId),
      "all threads",
    );
  }

  close(): void {
    this.#reference.close();
  }

  #make(call: Call, saver: KustoSaver): Promise<keyof Tally> {
    return this.#attempt(() => call.make(saver));
  }

  async #attempt(run: () => Promise<unknown>): Promise<keyof Tally> {
    const { random, network, table, storeFaults } = this.#stage;
    if (storeFaults.length > 0) {
      const faults = random.chance(0.5) ? [random.pick(storeFaults)] : [];
      await table.local("POST", "faults", { seed: random.below(1000), faults });
    }
    network.share = random.pick([0, 0.2, 0.5, 1]);
    try {
      await run();
      return "stored";
    } catch (thrown) {
      if (!(thrown instanceof StoreError)) throw thrown;
      return thrown.stored;
    } finally {
      network.share = 0;
    }
  }

  /** Makes the store show all rows. */
  async #showAll(): Promise<void> {
    const { table, storeFaults } = this.#stage;
    if (storeFaults.length === 0) return;
    await table.local("DELETE", "faults");
    await table.local("POST", "release");
  }

  async #differs(judge: KustoSaver, thread: string): Promise<boolean> {
    try {
      await this.#expectThread(judge, thread, "");
      return false;
    } catch {
      return true;
    }
  }

  async #expectLatest(saver: KustoSaver, { name, thread, namespace }: Call): Promise<void> {
    const at = config(thread, undefined, namespace);
    const about = `${name}: the latest of ${thread} for its own saver`;
    expectSame(await saver.getTuple(at), await this.#reference.getTuple(at), about);
  }

  async #expectThread(saver: KustoSaver, thread: string, about: string): Promise<void> {
    for (const namespace of NAMESPACES) {
      const at = config(thread, undefined, namespace);
      const expected = await this.#reference.getTuple(at);
      expectSame(await saver.getTuple(at), expected, `${about}: the latest of ${thread}`);
    }
    const at = { configurable: { thread_id: thread } };
    const expected = (await all(this.#reference.list(at))).sort(byId);
    const listed = (await all(saver.list(at))).sort(byId);
    expectSame(listed, expected, `${about}: the list of ${thread}`);
  }

  async #draw(): Promise<Call> {
    const { random } = this.#stage;
    const thread = random.pick(THREADS);
    const namespace = random.pick(NAMESPACES);
    const kind = random.below(20);
    if (kind === 0) {
      this.#messages.clear();
      return { name: "delete", thread, namespace, make: (saver) => saver.deleteThread(thread) };
    }
    if (kind < 7) {
      // Writes without a checkpoint could not be observed.
      const existing = await all(this.#reference.list(config(thread, undefined, namespace)));
      if (existing.length > 0) {
        return this.#drawWrites(thread, namespace, random.pick(existing).checkpoint.id);
      }
    }
    return this.#drawPut(thread, namespace);
  }

  #drawWrites(thread: string, namespace: string, id: string): Call {
    const { random } = this.#stage;
    const target = config(thread, id, namespace);
    const text = String(random.below(1_000_000));
    const special = random.chance(0.3);
    const writes: [string, unknown][] = special
      ? [[random.pick(["__error__", "__interrupt__", "__resume__"]), text]]
      : [
          ["messages", [{ text }]],
          ["other", text],
        ];
    const task = random.pick(["task-a", "task-b"]);
    const path = random.pick(["", "~p"]);
    const make = (saver: Saver) => saver.putWrites(target, writes, task, path);
    return { name: "putWrites", thread, namespace, make };
  }

  #drawPut(thread: string, namespace: string): Call {
    const { random } = this.#stage;
    const again = this.#number > 0 && random.chance(0.15);
    if (!again) this.#number += 1;
    const number = again ? 1 + random.below(this.#number) : this.#number;
    const key = JSON.stringify([thread, namespace]);
    const before = random.chance(0.1) ? [] : (this.#messages.get(key) ?? []);
    const text = `message ${random.below(1_000_000)} `.repeat(random.pick([1, 1, 40, 400]));
    const messages = [...before, { text }];
    this.#messages.set(key, messages);
    const values = { messages, step: number, empty: null };
    const next = checkpoint(number, values);
    const parent = config(thread, number > 1 ? idOf(number - 1) : undefined, namespace);
    const make = (saver: Saver) => {
      return saver.put(parent, next, metadata(number), next.channel_versions);
    };
    return { name: "put", thread, namespace, make };
  }
}

function byId(one: CheckpointTuple, other: CheckpointTuple): number {
  const [left, right] = [one, other].map(({ config }) => JSON.stringify(config.configurable));
  return (left ?? "") < (right ?? "") ? -1 : 1;
}
