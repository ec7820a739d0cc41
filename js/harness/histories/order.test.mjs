// One process: the calls of one saver on one thread take effect in the order they are made. Tested
// awaited and not, on a new saver, without a cache, and with only some channels named as new.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { makePlan } from "../support/plan.mjs";
import { follow, placeIn, temporaryFolder } from "../support/run.mjs";
import { numberOf, Seeded } from "../support/seeded.mjs";
import { assertExplained, callsOf } from "./log.mjs";

const SEED = numberOf("HISTORIES_SEED", 20270101);
const RUNS = numberOf("HISTORIES_RUNS", 3);
/** A thread is used for this many turns, so that its history stays short. */
const TURNS_OF_A_THREAD = 8;

/** Pairs of calls where the second must not overtake the first, which may have to wait. */
const CLOSE = { putAndGet: 3, putAndList: 3, putAndDelete: 3, deleteAndPut: 3, putTwice: 2 };
const REST = { put: 2, superstep: 3, fork: 1, writes: 2, several: 2, deleteAlone: 1 };

for (const [name, options] of [
  // A control: SQLite alone must pass.
  ["sqlite_alone", { plain: true }],
  ["a_new_saver", { reopen: 0.5, caches: [undefined] }],
  ["a_saver_that_remembers_nothing", { reopen: 0.05, caches: [0] }],
  ["a_saver_that_remembers_little", { reopen: 0.05, caches: [3000] }],
  ["a_saver_that_remembers", { reopen: 0.05, caches: [undefined] }],
]) {
  test(`calls_of_${name}_take_effect_in_their_order`, async (t) => {
    let count = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const place = placeIn(temporaryFolder(t));
      const threads = (turn) =>
        [0, 1].map((at) => `t${Math.floor(turn / TURNS_OF_A_THREAD)}-${at}`);
      const plan = makePlan(new Seeded(SEED + run), "p0", {
        turns: 80,
        threads,
        big: 0.01,
        kinds: { ...CLOSE, ...REST },
        waits: { together: 4, later: 1 },
        ...options,
      });
      await follow([{ ...plan, options: { plain: options.plain } }], place);
      const calls = callsOf(readFileSync(place.log, "utf8"), [plan]);
      count += calls.length;
      assert.ok(calls.every(({ ended }) => ended !== undefined));
      assertExplained(calls, `seed ${SEED + run}`);
    }
    t.diagnostic(`seed ${SEED}: ${RUNS} runs, ${count} calls`);
  });
}
