// Processes of both hosts work on one file, or on one PostgreSQL server, and the same threads. Some
// are killed. Some order of the calls explains every read.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makePlan } from "../support/plan.mjs";
import { pgbouncerFor, postgresFor } from "../support/postgres.mjs";
import { follow, placeIn, temporaryFolder } from "../support/run.mjs";
import { closeSaver, openSaver, perform } from "../support/savers.mjs";
import { numberOf, Seeded } from "../support/seeded.mjs";
import { assertExplained, callsOf } from "./log.mjs";

const SEED = numberOf("HISTORIES_SEED", 20270101);
const RUNS = numberOf("HISTORIES_RUNS", 3);
const PROCESSES = 6;
const TURNS = 40;
/** A thread is used for this many turns, so that its history stays short. */
const TURNS_OF_A_THREAD = 5;
/** A process is killed before the log of all has this many bytes. */
const LOG_BYTES = 60_000;

/** A plan for each process. The last one may be of the Rust host, and the first two are killed. */
function plansOf(draw, options) {
  const threads = (turn) => [0, 1].map((at) => `t${Math.floor(turn / TURNS_OF_A_THREAD)}-${at}`);
  return Array.from({ length: PROCESSES }, (_, index) => {
    const shared = { turns: TURNS, threads, processes: PROCESSES, index, big: 0.02 };
    const plan = { ...makePlan(draw, `p${index}`, shared), options };
    // The first process kills itself with calls under way. The second is killed at any time.
    if (index === 0) plan.turns[10 + draw.below(TURNS - 10)].kill = draw.below(3);
    if (index === 1) plan.killAt = draw.below(LOG_BYTES);
    if (index === PROCESSES - 1) plan.rust = options.rust ?? false;
    return plan;
  });
}

/** What a process reads after all others have ended. */
async function readAfterwards(place, calls, options) {
  const saver = openSaver(place.database, options);
  const reads = [];
  for (const thread of new Set(calls.map(({ call }) => call.thread))) {
    const call = { op: "list", thread };
    const time = Number.MAX_SAFE_INTEGER;
    const read = await perform(saver, call);
    reads.push({ key: `${thread} afterwards`, call, begin: time, ended: time, read });
  }
  await closeSaver(saver);
  return reads;
}

for (const [name, given, runs, serverFor] of [
  // A control: SQLite alone must pass.
  ["sqlite_alone", { plain: true }, 1],
  ["both_hosts", { rust: true }, RUNS],
  ["postgresql", {}, RUNS, postgresFor],
  ["postgresql_through_pgbouncer", {}, RUNS, pgbouncerFor],
]) {
  test(`some_order_of_the_calls_explains_every_read_of_processes_on_${name}`, async (t) => {
    const server = await serverFor?.(t);
    if (server === null && process.env.CI === undefined) return t.skip("it is not installed");
    const total = { runs, calls: 0, failed: 0, cutOff: 0, killed: 0 };
    for (let run = 0; run < runs; run += 1) {
      // Each run has a schema of its own.
      const options = server === undefined ? given : { ...given, schema: `run ${SEED + run}` };
      const plans = plansOf(new Seeded(SEED + run), options);
      const files = placeIn(temporaryFolder(t));
      const place = server === undefined ? files : { ...files, database: server };
      const ends = await follow(plans, place);
      const calls = callsOf(readFileSync(place.log, "utf8"), plans);
      total.calls += calls.length;
      total.failed += calls.filter(({ failed }) => failed !== undefined).length;
      total.cutOff += calls.filter(({ ended }) => ended === undefined).length;
      total.killed += ends.filter(({ killed }) => killed).length;
      const reads = await readAfterwards(place, calls, options);
      assertExplained([...calls, ...reads], `seed ${SEED + run}`);
    }
    t.diagnostic(`seed ${SEED}: ${JSON.stringify(total)}`);
    assert.ok(total.killed > 0 && total.cutOff > 0, "nothing was killed at work");
  });
}
