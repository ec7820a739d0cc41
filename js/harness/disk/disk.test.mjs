// Acknowledged calls survive a loss of power. README.md explains how this is tested.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { makePlan } from "../support/plan.mjs";
import { placeIn, temporaryFolder } from "../support/run.mjs";
import { numberOf, Seeded } from "../support/seeded.mjs";
import { buildRecorder, losses, recorded, unrecorded } from "./run.mjs";

const SEED = numberOf("DISK_SEED", 20270101);
const RUNS = numberOf("DISK_RUNS", 1);
/** How often the power is lost in one run. */
const LOSSES = numberOf("DISK_LOSSES", 20);
/** More runs if syncs fail, as the effect of a failed sync shows only for a moment. */
const RUNS_WITH_FAILURES = 3 * RUNS;
/** How many syncs of a run are made to fail; they are among the first `EARLY_SYNCS`. */
const FAILURES = 6;
const EARLY_SYNCS = 60;

const JAVASCRIPT = { synchronous: "full", logPages: 30 };
const RUST = { synchronous: "full", rust: true };

/** Plans for tests of the disk. histories/ tests the order of calls. */
const PLAN = {
  turns: 60,
  deletesAlone: true,
  anew: 1,
  allNew: true,
  waits: { later: 1, together: 1 },
};

let recorder;
before(() => {
  recorder = buildRecorder();
});

function plansFor(draw, hosts, options) {
  return hosts.map((host, index) => ({
    ...makePlan(draw, `p${index}`, { ...PLAN, ...options, processes: hosts.length, index }),
    options: host,
    rust: host.rust === true,
  }));
}

/** Runs plans, and lets the power fail again and again. */
async function simulate(test, hosts, { failures = 0, runs = RUNS, plan = {} } = {}) {
  const total = { runs, losses: 0, lost: 0, damaged: 0, failedSyncs: 0 };
  const faults = [];
  for (let run = 0; run < runs; run += 1) {
    const draw = new Seeded(SEED + run);
    const place = placeIn(temporaryFolder(test));
    const plans = plansFor(draw, hosts, plan);
    const failing = Array.from({ length: failures }, () => 5 + draw.below(EARLY_SYNCS));
    const records = await recorded(recorder, plans, place, failing);
    assert.deepEqual(unrecorded(records, place, draw), [], "something went past the recorder");
    const { found, syncs } = await losses(records, plans, place, draw, LOSSES);
    total.losses += found.length;
    total.failedSyncs += syncs.failed;
    for (const { at, lost, damage } of found) {
      if (lost.length > 0) total.lost += 1;
      if (damage.length > 0) total.damaged += 1;
      faults.push(...[...damage, ...lost].map((fault) => `run ${run}, record ${at}: ${fault}`));
    }
  }
  test.diagnostic(`seed ${SEED}: ${JSON.stringify(total)}`);
  return { ...total, first: faults.slice(0, 3).join("\n") };
}

function assertNothingLost({ losses, lost, damaged, first }) {
  assert.ok(losses > 0, "the power was never lost");
  assert.deepEqual({ lost, damaged }, { lost: 0, damaged: 0 }, first);
}

test("sqlite_alone_loses_nothing", async (t) => {
  assertNothingLost(await simulate(t, [{ ...JAVASCRIPT, plain: true }]));
});

test("sqlite_alone_loses_nothing_when_syncs_fail", async (t) => {
  const found = await simulate(t, [{ ...JAVASCRIPT, plain: true }], { failures: FAILURES });
  assertNothingLost(found);
  assert.ok(found.failedSyncs > 0);
});

test("a_saver_that_does_not_wait_for_the_disk_loses_the_last_commits_alone", async (t) => {
  const { lost, damaged, first } = await simulate(t, [{ ...JAVASCRIPT, synchronous: "normal" }]);
  assert.ok(lost > 0, "losses are not seen");
  assert.equal(damaged, 0, first);
});

test("a_saver_that_syncs_the_log_itself_loses_what_follows_a_failed_sync", async (t) => {
  const careless = { ...JAVASCRIPT, plain: true, careless: true };
  const { lost } = await simulate(t, [careless], { failures: FAILURES });
  assert.ok(lost > 0, "losses are not seen");
});

test("the_javascript_host_loses_nothing", async (t) => {
  assertNothingLost(await simulate(t, [JAVASCRIPT]));
});

test("the_javascript_host_loses_nothing_when_syncs_fail", async (t) => {
  const options = { failures: FAILURES, runs: RUNS_WITH_FAILURES };
  const found = await simulate(t, [JAVASCRIPT], options);
  assertNothingLost(found);
  assert.ok(found.failedSyncs > 0);
});

test("the_rust_host_loses_nothing", async (t) => {
  assertNothingLost(await simulate(t, [RUST], { plan: { big: 0.2, reopen: 0.1 } }));
});

test("the_rust_host_loses_nothing_when_syncs_fail", async (t) => {
  const found = await simulate(t, [RUST], { failures: FAILURES, plan: { big: 0.2, reopen: 0.1 } });
  assertNothingLost(found);
  assert.ok(found.failedSyncs > 0);
});

test("both_hosts_on_one_file_lose_nothing", async (t) => {
  assertNothingLost(await simulate(t, [JAVASCRIPT, RUST, JAVASCRIPT], { plan: { turns: 30 } }));
});
