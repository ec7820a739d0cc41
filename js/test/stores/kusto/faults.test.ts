// A seeded simulation on a network that loses, repeats and refuses requests: nothing acknowledged
// is lost, nothing is there twice, nothing deleted comes back, and a failed call says what it
// stored.

import type { KustoOptions } from "../../../src/entries/kusto.js";
import { FAULTS, FaultyFetch } from "./support/faults.js";
import { Random } from "./support/random.js";
import { Simulation } from "./support/simulation.js";
import { describeKusto, isLocal, newTable } from "./support/target.js";
import { VirtualClock } from "./support/virtual-clock.js";

/** What may happen to acknowledged rows in the store. */
const STORE_FAULTS = [
  { kind: "delayed", on: "rows", queries: 3 },
  { kind: "duplicated", on: "rows" },
  { kind: "torn", on: "rows", rows: 1, queries: 3 },
];
/** Other seeds: `KUSTO_SEEDS=5,6,7`. */
const SEEDS = (process.env.KUSTO_SEEDS ?? "1,2,3").split(",").map(Number);
const STEPS = 30;

describeKusto("through_a_faulty_network", () => {
  const met = new Map<string, number>();
  const tallies = { stored: 0, nothing: 0, unknown: 0 };

  async function simulate(seed: number, writeBehind: boolean): Promise<void> {
    const random = new Random(seed);
    const network = new FaultyFetch(random);
    if (seed % 2 === 0) network.faults = FAULTS;
    const table = await newTable();
    const clock = new VirtualClock();
    const open = (options: KustoOptions) => table.open(options, { clock });
    const { fetch } = network;
    const savers = writeBehind
      ? [await open({ fetch, batchSize: 8, flushInterval: 3600 })]
      : [await open({ fetch }), await open({ fetch, cacheBytes: 0 })];
    const witness = await open({ cacheBytes: 0 });
    const storeFaults = isLocal ? STORE_FAULTS : [];
    const stage = { random, network, table, storeFaults, savers, witness, writeBehind };
    const simulation = new Simulation(stage);
    for (let step = 0; step < STEPS; step += 1) {
      await simulation.step();
      if (writeBehind && step % 7 === 6) await simulation.flush();
    }
    await simulation.expectAll();
    simulation.close();
    for (const [fault, count] of network.met) met.set(fault, (met.get(fault) ?? 0) + count);
    for (const name of ["stored", "nothing", "unknown"] as const) {
      tallies[name] += simulation.tally[name];
    }
  }

  test.each(SEEDS)("the_calls_of_seed_%s_leave_what_they_say_they_do", async (seed) => {
    await simulate(seed, false);
  });

  test.each(SEEDS)("the_calls_of_seed_%s_do_so_with_write_behind_too", async (seed) => {
    await simulate(seed, true);
  });

  // Other seeds need not meet all of them.
  test.skipIf(process.env.KUSTO_SEEDS)("every_fault_was_met_and_every_ending_seen", () => {
    expect([...met.keys()].sort()).toEqual([...FAULTS].sort());
    expect(Math.min(...Object.values(tallies))).toBeGreaterThan(0);
  });
});
