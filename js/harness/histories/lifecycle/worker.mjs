// A process that works on shared threads until its time is up:
//
//   node worker.mjs <options> <log> <database>
//
// `options` is JSON: `name`, `index` and `role`, the `seed` of its draws, `forMs`, and `saver` for
// `openSaver`. Before a call it appends `B <process> <number> <call>` to the log, and after it
// `E <process> <number> <result>`, as `../../support/caller.mjs` does. It prints `ready`, and
// starts when its input ends.

import { openSync, writeSync } from "node:fs";

import { closeSaver, openSaver } from "../../support/savers.mjs";
import { Seeded } from "../../support/seeded.mjs";
import { stateDigest, valueDigest } from "../../support/summary.mjs";
import { historyDigest, readsOf } from "./reads.mjs";
import { CHANNEL, GROUPS, runAt } from "./rules.mjs";

const [given, logPath, database] = process.argv.slice(2);
const { name, index, role, seed, forMs, base, saver: options } = JSON.parse(given);
const log = openSync(logPath, "a");
const draw = new Seeded(seed);
const saver = openSaver(database, options);
const SPECIAL = "__interrupt__";
let calls = 0;
let lastId = 0;

/** Makes a call, and returns what it gave; undefined if it failed. */
async function make(call, run) {
  const n = calls++;
  writeSync(log, `B ${name} ${n} ${JSON.stringify(call)}\n`);
  let result;
  let gave;
  try {
    gave = await run();
    result = { read: call.read === undefined ? gave : call.read(gave) };
  } catch ({ code, message, cause }) {
    result = { failed: { code, message, cause: cause?.message } };
  }
  writeSync(log, `E ${name} ${n} ${JSON.stringify(result)}\n`);
  return gave;
}

/** An id that is greater than those of all calls that ended before. */
function nextId() {
  const ticks = Math.floor((performance.timeOrigin + performance.now() - base) * 1000);
  lastId = Math.max(lastId + 1, ticks);
  const low = (lastId * 16 + index).toString(16).padStart(12, "0");
  return `1f000000-0000-6000-8000-${low}`;
}

const at = (thread, ns, id) => ({
  configurable: { thread_id: thread, checkpoint_ns: ns, ...(id && { checkpoint_id: id }) },
});
const text = (words) => `${name} ${calls} ${"word ".repeat(words)}`;

/** The heads of this process's branches, by thread and namespace. */
const heads = new Map();

/** The state after a head. `isLogged` says whether the delta channel was written to. */
function nextState(head, group, id, isLogged) {
  const step = (head?.step ?? 0) + 1;
  const message = { id, text: text(30 + draw.below(40)) };
  const before = head?.values.messages ?? [];
  // An application that drops old messages makes chunks that nothing refers to.
  const values = { messages: [...before.slice(before.length > 60 ? -3 : 0), message], step };
  const versions = { messages: step, step };
  if (draw.chance(0.3)) values.file = text(100);
  else if (head?.values.file !== undefined) values.file = head.values.file;
  if (values.file !== undefined) versions.file = step;
  if (group.isDelta) {
    // LangGraph gives a channel a new version only if it was written to.
    if (step % 6 === 1) values[CHANNEL] = [text(20)];
    const isNew = isLogged || values[CHANNEL] !== undefined;
    versions[CHANNEL] = isNew ? step : head.logVersion;
  }
  return { step, values, versions };
}

async function put(group, ns, head, isLogged) {
  const id = nextId();
  const { step, values, versions } = nextState(head, group, id, isLogged);
  const now = Date.now();
  const ts = group.ts ?? new Date(now).toISOString();
  const run = group.rule.runs ? runAt(now) : "kept";
  const metadata = { source: "loop", step, parents: {}, run_id: run };
  const texts = Object.entries(values).map(([channel, value]) => [channel, JSON.stringify(value)]);
  const seed = values[CHANNEL];
  const call = {
    op: "put",
    thread: group.thread,
    ns,
    id,
    parent: head?.id,
    state: stateDigest(JSON.stringify(metadata), Object.fromEntries(texts)),
    ts,
    run,
    seed: seed && valueDigest(JSON.stringify(seed)),
  };
  const checkpoint = { v: 4, id, ts, channel_values: values, channel_versions: versions };
  checkpoint.versions_seen = {};
  await make(call, async () => {
    await saver.put(at(group.thread, ns, head?.id), checkpoint, metadata, versions);
  });
  return { id, step, values, logVersion: versions[CHANNEL] };
}

/** Stores the writes of a task of its own: at a place that is taken the first write stays. */
function writes(group, ns, id, task = `task-${name}-${calls}`) {
  const channel = group.isDelta ? CHANNEL : "messages";
  const made = [[channel, text(10 + draw.below(60))]];
  if (draw.chance(0.3)) made.push([channel, text(draw.below(60))]);
  if (draw.chance(0.2)) made.push([SPECIAL, text(50)]);
  const shown = made.map(([of, value], idx) => {
    return [of === SPECIAL ? -3 : idx, of, valueDigest(JSON.stringify(value))];
  });
  const call = { op: "writes", thread: group.thread, ns, id, task, writes: shown };
  return make(call, async () => saver.putWrites(at(group.thread, ns, id), made, task));
}

async function superstep(group, ns) {
  const key = `${group.thread} ${ns}`;
  const head = heads.get(key);
  const count = head === undefined ? 0 : draw.below(3);
  const written = Array.from({ length: count }, () => writes(group, ns, head.id));
  // A delta channel is made of the writes before it, so LangGraph stores those first.
  if (draw.chance(0.5) || group.isDelta) await Promise.all(written);
  const next = await put(group, ns, head, count > 0);
  await Promise.all(written);
  // A later write replaces a special one.
  if (draw.chance(0.1) && head !== undefined && !group.isDelta) {
    await writes(group, ns, next.id, "task-c");
    const value = text(80);
    const shown = [[-3, SPECIAL, valueDigest(JSON.stringify(value))]];
    const call = { op: "writes", thread: group.thread, ns, id: next.id, task: "task-c" };
    const to = at(group.thread, ns, next.id);
    await make({ ...call, writes: shown }, async () => {
      await saver.putWrites(to, [[SPECIAL, value]], "task-c");
    });
  }
  heads.set(key, next);
}

/** Goes on from whatever is the latest checkpoint. */
async function fork(group, ns) {
  const tuple = await get(group, ns);
  if (tuple === undefined) return;
  const { id, channel_values } = tuple.checkpoint;
  heads.set(`${group.thread} ${ns}`, { id, step: tuple.metadata.step, values: channel_values });
}

function get(group, ns, id) {
  const call = { op: "get", thread: group.thread, ns, id };
  call.read = (tuple) => readsOf([tuple]);
  return make(call, () => saver.getTuple(at(group.thread, ns, id)));
}

async function listed(thread) {
  const found = [];
  for await (const tuple of saver.list({ configurable: { thread_id: thread } })) found.push(tuple);
  return found;
}

function list(thread) {
  return make({ op: "list", thread, read: readsOf }, () => listed(thread));
}

/** Reads the delta channel of the latest checkpoint of a namespace; `source` has its writes. */
async function history(thread, ns, source) {
  const tuple = await saver.getTuple(at(thread, ns)).catch(() => undefined);
  if (tuple === undefined) return;
  const { id } = tuple.checkpoint;
  const call = { op: "history", thread: source, of: thread, ns, id, read: historyDigest };
  const asked = { config: at(thread, ns, id), channels: [CHANNEL] };
  await make(call, () => saver.getDeltaChannelHistory(asked));
}

function stats(thread) {
  return make({ op: "stats", thread }, () => saver.stats(thread));
}

async function write() {
  const group = draw.pick(GROUPS);
  const ns = group.isDelta ? `own-${index}` : draw.pick(["", "", "sub"]);
  const kinds = { superstep: 60, fork: group.isDelta ? 0 : 8, get: 10, history: 0, list: 3 };
  if (group.isDelta) kinds.history = 15;
  const kind = draw.weighted(kinds);
  if (kind === "superstep") await superstep(group, ns);
  else if (kind === "fork") await fork(group, ns);
  else if (kind === "list") await list(group.thread);
  else if (kind === "history") await history(group.thread, ns, group.thread);
  else await get(group, ns, draw.chance(0.5) ? heads.get(`${group.thread} ${ns}`)?.id : undefined);
}

async function read() {
  const group = draw.pick(GROUPS);
  const ns = group.isDelta ? `own-${draw.below(4)}` : draw.pick(["", "sub"]);
  const kinds = { get: 30, list: 15, stats: 15, history: group.isDelta ? 60 : 0 };
  const kind = draw.weighted(kinds);
  if (kind === "get") await get(group, ns);
  else if (kind === "list") await list(group.thread);
  else if (kind === "history") await history(group.thread, ns, group.thread);
  else await stats(group.thread);
}

async function prune() {
  const group = draw.pick(GROUPS);
  const { thread, rule } = group;
  const dryRun = draw.chance(0.1);
  const now = Date.now();
  const call = { op: "prune", thread, dryRun };
  if (rule.last !== undefined && group.ts === undefined) {
    const given = rule.last === 1 ? {} : { keepLast: rule.last };
    await make(call, () => saver.prune([thread], { ...given, dryRun }));
  } else if (rule.last !== undefined) {
    await make(call, () => saver.expire({ idleFor: 365 * 24 * 3600 * 1000, dryRun }));
  } else if (rule.newer) {
    const newerThan = new Date(now - 1000);
    call.newerThan = newerThan.toISOString();
    await make(call, () => saver.prune([thread], { newerThan, dryRun }));
  } else if (rule.runs) {
    call.runs = [2, 3, 4, 5].map((back) => runAt(now - back * 500));
    await make(call, () => saver.deleteForRuns(call.runs, { dryRun }));
  } else if (draw.chance(0.7)) {
    await make(call, () => saver.prune([thread], { strategy: "delete", dryRun }));
  } else {
    await make({ ...call, dryRun: false }, async () => saver.deleteThread(thread));
  }
}

async function copy() {
  const group = draw.pick(GROUPS);
  const target = `copy-${role}`;
  await make({ op: "deleteCopy", thread: group.thread }, async () => saver.deleteThread(target));
  const latest = draw.chance(0.3);
  const given = latest ? { keep: "latest" } : {};
  const call = { op: "copy", thread: group.thread, target, latest };
  await make(call, () => saver.copyThread(group.thread, target, given));
  const found = await make({ op: "listCopy", thread: group.thread, read: readsOf }, () => {
    return listed(target);
  });
  if (!group.isDelta) return;
  const spaces = new Set(found?.map(({ config }) => config.configurable.checkpoint_ns));
  for (const ns of spaces) await history(target, ns, group.thread);
}

const ROLES = { writer: write, reader: read, pruner: prune, copier: copy, "copier-2": copy };

process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.on("end", resolve).resume());
const end = Date.now() + forMs;
while (Date.now() < end) {
  await ROLES[role]();
  if (role !== "writer") await new Promise((resolve) => setTimeout(resolve, draw.below(10)));
}
await closeSaver(saver);
