// Processes prune, expire, copy and delete threads that others write to, on one file or one
// PostgreSQL server. Those that prune and copy are killed again and again. What the rules keep is
// there and reads whole, and at the end nothing is left over.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { postgresFor } from "../support/postgres.mjs";
import { placeIn, temporaryFolder } from "../support/run.mjs";
import { closeSaver, openSaver } from "../support/savers.mjs";
import { numberOf, Seeded } from "../support/seeded.mjs";
import { callsOf, faultsIn } from "./lifecycle/claims.mjs";
import { GROUPS } from "./lifecycle/rules.mjs";

const SEED = numberOf("HISTORIES_SEED", 20270101);
/** How long the processes of a run work. */
const FOR_MS = 1000 * numberOf("HISTORIES_SECONDS", 6);
const WORKER = fileURLToPath(new URL("lifecycle/worker.mjs", import.meta.url));
/** The longest life of a process that is killed. */
const LIFE_MS = 500;

const STEADY = ["writer", "writer", "writer", "writer", "reader", "pruner", "copier"];
const KILLED = ["writer", "pruner", "copier-2"];

function start(given, place) {
  const args = [WORKER, JSON.stringify(given), place.log, place.database];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {});
  const closed = once(child, "close");
  return { name: given.name, child, closed, ready: once(child.stdout, "data") };
}

/** Starts a process again and again, and kills it at random moments. */
async function killAgainAndAgain(draw, given, place) {
  const end = Date.now() + FOR_MS;
  let kills = 0;
  const fresh = () => {
    const name = `${given.name}-${kills}`;
    return start({ ...given, name, forMs: FOR_MS, seed: draw.below(2 ** 31) }, place);
  };
  // The next one starts up meanwhile, which takes longer than one lives.
  for (let next = fresh(); ; ) {
    const one = next;
    await one.ready;
    one.child.stdin.end();
    kills += 1;
    if (Date.now() < end) next = fresh();
    await new Promise((resolve) => setTimeout(resolve, 20 + draw.below(LIFE_MS)));
    one.child.kill("SIGKILL");
    await one.closed;
    if (one === next) return kills;
  }
}

async function work(place, saver, seed) {
  const draw = new Seeded(seed);
  const given = (role, index) => {
    return { name: `p${index}-${role}`, role, index, saver, base: Date.now(), forMs: FOR_MS };
  };
  const steady = STEADY.map((role, index) => {
    return start({ ...given(role, index), seed: draw.below(2 ** 31) }, place);
  });
  await Promise.all(steady.map(({ ready }) => ready));
  for (const { child } of steady) child.stdin.end();
  const killed = KILLED.map((role, at) => {
    const own = new Seeded(draw.below(2 ** 31));
    return killAgainAndAgain(own, given(role, STEADY.length + at), place);
  });
  for (const { name, closed } of steady) {
    const [code] = await closed;
    assert.equal(code, 0, `${name} ended`);
  }
  const kills = await Promise.all(killed);
  return kills.reduce((sum, count) => sum + count);
}

async function listed(saver, thread) {
  const found = [];
  for await (const tuple of saver.list({ configurable: { thread_id: thread } })) {
    const { checkpoint_ns } = tuple.config.configurable;
    found.push(JSON.stringify([checkpoint_ns, tuple.checkpoint, tuple.pendingWrites]));
  }
  return found;
}

/** After a last prune no chunk is left that a copy of the thread does not have. */
async function nothingIsLeftOver(saver) {
  for (const { thread } of GROUPS) {
    await saver.prune([thread]);
    const stats = await saver.stats(thread);
    if (stats.threads === 0) continue;
    await saver.copyThread(thread, "fresh");
    assert.deepEqual(await saver.stats("fresh"), stats, `${thread} has what its copy has`);
    assert.deepEqual(await listed(saver, "fresh"), await listed(saver, thread));
    await saver.deleteThread("fresh");
  }
  for (const target of ["copy-copier", "copy-copier-2"]) {
    await saver.deleteThread(target);
    await saver.copyThread("latest", target);
    await saver.deleteThread(target);
  }
  const { threads } = await saver.threads({ limit: 1000 });
  const ids = threads.map(({ threadId }) => threadId);
  await saver.prune(ids, { strategy: "delete" });
  for (const { thread } of GROUPS) await saver.deleteThread(thread);
  for (const [name, left] of Object.entries(await saver.stats())) {
    assert.equal(Number(left), 0, `${name} are left`);
  }
}

for (const [name, serverFor] of [["sqlite"], ["postgresql", postgresFor]]) {
  test(`prunes_and_copies_beside_writers_on_${name}_lose_nothing_that_is_kept`, async (t) => {
    const server = await serverFor?.(t);
    const files = placeIn(temporaryFolder(t));
    const place = server === undefined ? files : { ...files, database: server };
    const options = server === undefined ? { synchronous: "normal" } : { schema: `life ${SEED}` };
    const setup = openSaver(place.database, options);
    await setup.setup();
    const kills = await work(place, options, SEED);
    const calls = callsOf(readFileSync(place.log, "utf8"));
    const faults = faultsIn(calls);
    const counts = {};
    for (const { op, failed } of calls) {
      const of = failed === undefined ? op : `${op}: ${failed.code}`;
      counts[of] = (counts[of] ?? 0) + 1;
    }
    t.diagnostic(`seed ${SEED}: ${kills} kills, ${JSON.stringify(counts)}`);
    assert.ok(faults.length === 0, `${faults.length} faults\n${faults.slice(0, 5).join("\n")}`);
    await nothingIsLeftOver(setup);
    await closeSaver(setup);
    for (const op of ["prune", "copy", "history"]) assert.ok(counts[op] > 0, `no ${op} ended`);
  });
}
