// The option `ttl`: which threads a sweep prunes, when, and in which process.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { type Sweep, Sweeper, type SweeperClock } from "../../src/langgraph/sweeper.js";
import type { TtlOptions } from "../../src/options.js";
import { checkpoint, config, metadata } from "../support/checkpoints.js";
import { temporaryDatabase } from "../support/temporary.js";

const MINUTE = 60_000;

/** A clock that goes on when it is told to. */
class Clock implements SweeperClock {
  time = Date.UTC(2027, 0, 1);
  #due: { readonly at: number; readonly run: () => void } | undefined;

  now(): number {
    return this.time;
  }

  later(milliseconds: number, run: () => void): () => void {
    const due = { at: this.time + milliseconds, run };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = undefined;
    };
  }

  /** Lets time pass. Returns whether something became due. */
  pass(minutes: number): boolean {
    this.time += minutes * MINUTE;
    const due = this.#due;
    if (due === undefined || due.at > this.time) return false;
    this.#due = undefined;
    due.run();
    return true;
  }
}

/** A saver whose sweeps a test waits for. */
class Swept extends SqliteSaver {
  override sweep(sweep: Sweep) {
    return super.sweep(sweep);
  }
}

async function filled(location: string, threads: number): Promise<Swept> {
  const saver = Swept.fromConnString(location) as Swept;
  for (let thread = 0; thread < threads; thread += 1) {
    for (const number of [1, 2]) {
      const put = { ...checkpoint(number, { a: number }), ts: "2026-12-31T23:00:00.000Z" };
      await saver.put(config(`thread-${thread}`), put, metadata(number), { a: number });
    }
  }
  return saver;
}

/** Starts a sweeper. `pass` lets time pass until a sweep that became due has ended. */
function sweeper(saver: Swept, clock: Clock, ttl: TtlOptions) {
  const swept: number[] = [];
  const failures: unknown[] = [];
  const run = async (sweep: Sweep) => swept.push((await saver.sweep(sweep)).threads);
  const made = new Sweeper(ttl, run, (thrown) => failures.push(thrown), clock);
  const pass = (minutes: number) => {
    clock.pass(minutes);
    return made.ended;
  };
  return { made, swept, failures, pass };
}

describe("Idle threads", () => {
  it("are deleted once they are old enough, so many in each sweep", async () => {
    const saver = await filled(":memory:", 5);
    const ttl = { defaultTtl: 90, sweepInterval: 10, sweepLimit: 2 };
    const { swept, pass } = sweeper(saver, new Clock(), ttl);
    await pass(0.5);
    expect(swept).toEqual([]);
    for (let minute = 1; minute <= 61; minute += 10) await pass(minute === 1 ? 0.5 : 10);
    expect(swept).toEqual([0, 0, 0, 2, 2, 1, 0]);
    expect((await saver.stats()).threads).toBe(0);
  });

  it("keep their latest state if the strategy says so", async () => {
    const saver = await filled(":memory:", 2);
    const ttl = { defaultTtl: 30, strategy: "keep_latest" } as const;
    const { swept, pass } = sweeper(saver, new Clock(), ttl);
    await pass(1);
    await pass(5);
    expect(swept).toEqual([2, 0]);
    expect(await saver.stats()).toMatchObject({ threads: 2, checkpoints: 2 });
  });

  it("stay after the sweeper is stopped, and a sweep under way ends with it", async () => {
    const saver = await filled(":memory:", 4);
    const clock = new Clock();
    const run = (sweep: Sweep) => {
      made.stop();
      return saver.sweep(sweep);
    };
    const failures: unknown[] = [];
    const made = new Sweeper({ defaultTtl: 1 }, run, (thrown) => failures.push(thrown), clock);
    clock.pass(1);
    await made.ended;
    expect(clock.pass(1000)).toBe(false);
    expect(failures).toEqual([]);
    expect((await saver.stats()).threads).toBe(4);
  });

  it("are swept by one of several processes", async () => {
    const file = temporaryDatabase();
    const saver = await filled(file, 12);
    const script = fileURLToPath(new URL("../support/sweeper.mjs", import.meta.url));
    const sweep = () => promisify(execFile)(process.execPath, [script, file, "5"]);
    const ends = await Promise.all([sweep(), sweep(), sweep(), sweep()]);
    const pruned = ends.map(({ stdout }) => Number(stdout)).sort();
    expect(pruned).toEqual([0, 0, 0, 5]);
    expect((await saver.stats()).threads).toBe(7);
    saver.close();
  });
});

describe("A sweep that fails", () => {
  it("is said once until one succeeds, and the next one is made all the same", async () => {
    const saver = await filled(":memory:", 1);
    saver.db.exec("ALTER TABLE lg_sweeps RENAME TO elsewhere");
    const { swept, failures, pass } = sweeper(saver, new Clock(), { defaultTtl: 1 });
    for (const minutes of [1, 5, 5]) await pass(minutes);
    expect(failures).toHaveLength(1);
    saver.db.exec("ALTER TABLE elsewhere RENAME TO lg_sweeps");
    await pass(5);
    expect(swept).toEqual([1]);
  });
});

describe("The option ttl", () => {
  it("is refused with the name of what is wrong", () => {
    const refused: [ttl: unknown, code: string, named: string][] = [
      [null, "invalid-option", "ttl"],
      [{}, "invalid-option", "ttl.defaultTtl"],
      [{ defaultTtl: -1 }, "invalid-option", "ttl.defaultTtl"],
      [{ defaultTtl: Number.POSITIVE_INFINITY }, "invalid-option", "ttl.defaultTtl"],
      [{ defaultTtl: 1, strategy: "keep_all" }, "invalid-option", "ttl.strategy"],
      [{ defaultTtl: 0 }, "invalid-option", "ttl.defaultTtl"],
      [{ defaultTtl: 1, sweepInterval: 0 }, "invalid-option", "ttl.sweepInterval"],
      [{ defaultTtl: 1, sweepInterval: 1e9 }, "invalid-option", "ttl.sweepInterval"],
      [{ defaultTtl: 1, sweepLimit: 0.5 }, "invalid-option", "ttl.sweepLimit"],
      [{ defaultTTL: 1 }, "unknown-option", "defaultTtl"],
    ];
    for (const [ttl, code, named] of refused) {
      const open = () => SqliteSaver.fromConnString(":memory:", { ttl: ttl as TtlOptions });
      expect(open).toThrowError(expect.objectContaining({ code }));
      expect(open).toThrowError(named);
    }
  });

  it("keeps no process alive", async () => {
    const source = `
      import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";
      const saver = SqliteSaver.fromConnString(":memory:", { ttl: { defaultTtl: 1 } });
      await saver.setup();
    `;
    const args = ["--input-type=module", "-e", source];
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    await expect(promisify(execFile)(process.execPath, args, { cwd })).resolves.toBeDefined();
  });
});
