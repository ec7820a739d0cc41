// Runs plans under the recorder, then lets the power fail at many places of the records.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";

import { callsOf, faultsIn } from "../histories/log.mjs";
import { isWrite } from "../histories/model.mjs";
import { follow } from "../support/run.mjs";
import { openSaver, perform } from "../support/savers.mjs";
import { Disk } from "./disk.mjs";
import { recordsIn } from "./trace.mjs";

const RECORDER = fileURLToPath(new URL("recorder.c", import.meta.url));
const TARGET = fileURLToPath(new URL("../../../target", import.meta.url));
/** A place in the order of calls, after all others. */
const AFTERWARDS = Number.MAX_SAFE_INTEGER;
/** How many acknowledgements after a failed sync count as soon after it. */
const SOON = 3;
/** A sync takes up to this long. */
const SYNC_US = 3_000;

/** Compiles the recorder, and returns the path of the library. */
export function buildRecorder() {
  const target = process.env.CARGO_TARGET_DIR ?? TARGET;
  mkdirSync(target, { recursive: true });
  const library = join(target, "disk-recorder.so");
  const flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"];
  execFileSync("cc", [...flags, "-o", library, RECORDER, "-ldl"], { stdio: "inherit" });
  return library;
}

/** Runs plans under the recorder, all at the same time, and returns the records. */
export async function recorded(recorder, plans, place, failing = []) {
  const trace = join(place.folder, "trace");
  const env = {
    LD_PRELOAD: recorder,
    RECORD_FOLDER: place.inside,
    RECORD_TRACE: trace,
    RECORD_FAIL: failing.join(","),
    RECORD_DELAY_US: String(SYNC_US),
  };
  await follow(plans, place, env);
  return recordsIn(readFileSync(trace));
}

/** The names of the files that differ from the records: something bypassed the recorder. */
export function unrecorded(records, place, draw) {
  const disk = new Disk(place.inside, place.log, draw);
  for (const record of records) disk.apply(record);
  const files = [...disk.cached, [basename(place.log), Buffer.from(disk.calls)]];
  return files
    .filter(([name, content]) => !content.equals(readFileSync(join(place.inside, name))))
    .map(([name]) => name);
}

/**
 * Lets the power fail at `count` places of the records, and returns what is wrong after each. Most
 * places are right after an acknowledgement. If syncs failed, many are soon after a failed one.
 */
export async function losses(records, plans, place, draw, count) {
  const acknowledged = records.flatMap(({ kind, data }, at) => {
    return kind === "write" && /^E \S+ \d+ (?!{"failed")/.test(data) ? [at + 1] : [];
  });
  const soonAfter = records.flatMap(({ status }, failed) => {
    if (status !== "failed") return [];
    return acknowledged.filter((at) => at > failed).slice(0, SOON);
  });
  const places = Array.from({ length: count }, () => {
    if (soonAfter.length > 0 && draw.chance(0.8)) return draw.pick(soonAfter);
    return draw.chance(0.6) ? draw.pick(acknowledged) : 1 + draw.below(records.length);
  });
  const disk = new Disk(place.inside, place.log, draw);
  const found = [];
  let applied = 0;
  for (const at of places.sort((a, b) => a - b)) {
    while (applied < at) disk.apply(records[applied++]);
    const folder = join(place.folder, `left-${found.length}`);
    disk.losePower(folder, draw);
    found.push({ at, ...(await lookAt(folder, basename(place.database), plans, disk.calls)) });
    rmSync(folder, { recursive: true });
  }
  return { found, syncs: disk.syncs };
}

/** Reads everything, as the next process does. */
async function lookAt(folder, name, plans, log) {
  const { plain } = plans[0].options;
  const path = join(folder, name);
  const saver = openSaver(path, { plain });
  const threads = new Set(
    plans.flatMap(({ turns }) => {
      return turns.flatMap(({ calls }) => calls.map(({ thread }) => thread));
    }),
  );
  const damage = [];
  const reads = [];
  const written = writesOf(callsOf(log, plans));
  for (const thread of threads) {
    const call = { op: "list", thread };
    try {
      const read = await perform(saver, call);
      reads.push({ key: `${thread} afterwards`, call, begin: AFTERWARDS, ended: AFTERWARDS, read });
    } catch (thrown) {
      damage.push(`${thread}: ${thrown.code}: ${thrown.message}`);
    }
  }
  saver.close();
  const db = new Database(path);
  const verdict = db.pragma("integrity_check", { simple: true });
  db.close();
  if (verdict !== "ok") damage.push(`integrity_check: ${verdict}`);
  const lost = [];
  for (const read of reads) {
    const faults = byCheckpoint(written, read).flatMap(faultsIn);
    lost.push(...faults);
    if (faults.length > 0 && !isEarlier(written, read)) damage.push(...faults);
  }
  return { damage, lost };
}

/**
 * The history of each checkpoint of the thread that was read. Only the last call is a read, so
 * calls on different checkpoints do not affect one another, except for deletions.
 */
function byCheckpoint(calls, read) {
  const own = calls.filter(({ call }) => call.thread === read.call.thread);
  const lines = new Map(read.read.split("\n").map((line) => [line.split(" ")[0], line]));
  lines.delete("");
  const ids = new Set([...lines.keys(), ...own.flatMap(({ call }) => call.id ?? [])]);
  return [...ids].map((id) => [
    ...own.filter(({ call }) => call.op === "delete" || call.id === id),
    { ...read, read: lines.get(id) ?? "" },
  ]);
}

/** The calls that wrote. Calls that were under way together may have any order. */
function writesOf(calls) {
  return calls
    .filter(({ call, failed }) => isWrite(call) && failed?.stored !== "nothing")
    .map(({ line, ...call }) => call);
}

/** Whether the read gives an earlier state: then only the last commits are missing. */
function isEarlier(calls, read) {
  const own = calls.filter(({ call }) => call.thread === read.call.thread);
  const ends = own.map(({ ended }) => ended ?? 0).sort((a, b) => b - a);
  return [...ends, 0].some((time) => {
    const until = own
      .filter(({ begin }) => begin <= time)
      .map((call) => (call.ended <= time ? call : { ...call, ended: undefined }));
    return faultsIn([...until, read]).length === 0;
  });
}
