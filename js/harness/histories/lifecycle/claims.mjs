// Checks what processes read of threads that others prune, expire, copy and delete. The log's order
// is the order of events.
//
// Each checkpoint has a time from which a prune may have removed it, and one from which a prune
// must have removed it. A read that runs before the first must show it; one that runs after the
// second must not.

import { GROUPS } from "./rules.mjs";

const NEVER = Number.POSITIVE_INFINITY;

/** What a call may fail with. Anything else is a fault. */
const ALLOWED = {
  prune: ["thread-in-use"],
  copy: ["thread-in-use", "existing-thread", "missing-thread"],
};

/** The calls of a log, in the order they were made. A killed process's last call has no end. */
export function callsOf(text) {
  const calls = new Map();
  text
    .split("\n")
    .slice(0, -1)
    .forEach((line, place) => {
      const [, kind, name, n, rest] = /^(\S) (\S+) (\S+) (.*)$/.exec(line) ?? [];
      const key = `${name} ${n}`;
      const given = JSON.parse(rest);
      if (kind === "B") calls.set(key, { key, ...given, begin: place, end: NEVER });
      else Object.assign(calls.get(key), { end: place, ...given });
    });
  return [...calls.values()];
}

/** What is wrong, in words; empty if every claim holds. */
export function faultsIn(calls) {
  const faults = [];
  for (const { key, op, thread, failed } of calls) {
    if (failed === undefined || ALLOWED[op]?.includes(failed.code)) continue;
    faults.push(`${key} (${op} of ${thread}) failed: ${JSON.stringify(failed)}`);
  }
  for (const group of GROUPS) {
    const own = calls.filter(({ thread }) => thread === group.thread);
    for (const [{ key, op, begin, end }, fault] of new Thread(group, own).faults()) {
      faults.push(`${key} (${op} of ${group.thread}, ${begin}..${end}) ${fault}`);
    }
  }
  return faults;
}

const placeOf = ({ ns, id }) => `${ns}|${id}`;

class Thread {
  #group;
  #calls;
  /** The puts, by namespace and id. */
  #puts = new Map();

  constructor(group, calls) {
    this.#group = group;
    this.#calls = calls;
    const puts = calls.filter(({ op, failed }) => op === "put" && failed === undefined);
    for (const put of puts) this.#puts.set(placeOf(put), { ...put, writes: [] });
    for (const write of calls.filter(({ op }) => op === "writes")) {
      this.#puts.get(placeOf(write))?.writes.push(write);
    }
    this.#time();
  }

  /** The faults, each with its call. */
  faults() {
    const ended = this.#calls.filter(({ read, failed }) => read !== undefined && !failed);
    return ended.flatMap((call) => this.#check(call).map((fault) => [call, fault]));
  }

  #check(call) {
    if (call.op === "get") return this.#get(call);
    if (call.op === "list") return this.#list(call);
    if (call.op === "listCopy") return this.#copy(call);
    if (call.op === "history") return this.#history(call);
    if (call.op === "stats") return this.#stats(call);
    return [];
  }

  /** Sets from when on each checkpoint may be gone (`loose`), and must be gone (`gone`). */
  #time() {
    const prunes = this.#calls.filter(({ op, dryRun }) => op === "prune" && !dryRun);
    const spaces = new Map();
    for (const put of this.#puts.values()) {
      spaces.set(put.ns, [...(spaces.get(put.ns) ?? []), put]);
    }
    for (const puts of spaces.values()) {
      puts.sort((a, b) => (a.id < b.id ? 1 : -1));
      // The fewest begins and ends among the puts with greater ids.
      const [begins, ends] = [[], []];
      for (const put of puts) {
        this.#timeOf(put, begins, ends, prunes);
        for (const [list, place] of [
          [begins, put.begin],
          [ends, put.end],
        ]) {
          list.push(place);
          list.sort((a, b) => a - b);
          list.splice(4);
        }
      }
    }
  }

  #timeOf(put, begins, ends, prunes) {
    const { rule, isDelta } = this.#group;
    const keeps = rule.all || rule.runs ? 0 : (rule.last ?? 1);
    const nth = (list) => (keeps === 0 ? -1 : (list[keeps - 1] ?? NEVER));
    put.loose = NEVER;
    put.gone = NEVER;
    for (const prune of prunes) {
      const { newerThan, runs, begin, end, failed } = prune;
      if (rule.newer && put.ts >= newerThan) continue;
      if (rule.runs && !runs.includes(put.run)) continue;
      if (end < put.begin) continue;
      put.loose = Math.min(put.loose, Math.max(begin, nth(begins)));
      const had = Math.max(put.end, nth(ends));
      // The ancestors of a delta channel stay.
      if (begin > had && failed === undefined && !isDelta) put.gone = Math.min(put.gone, end);
    }
  }

  /** The faults of a tuple that was read between two places of the log. */
  #tuple(tuple, begin, end) {
    const put = this.#puts.get(placeOf(tuple));
    const name = `${tuple.ns}|${tuple.id}`;
    if (put === undefined || put.begin > end) return [`shows ${name}, which nobody put`];
    const faults = [];
    if (put.gone < begin) faults.push(`shows ${name}, which was removed at ${put.gone}`);
    if (put.state !== tuple.state) faults.push(`shows another state of ${name}`);
    if (put.parent !== tuple.parent) faults.push(`shows another parent of ${name}`);
    const made = put.writes.filter((write) => write.begin < end && write.failed === undefined);
    const shown = new Set(tuple.writes.map((write) => write.join(" ")));
    const possible = new Set();
    for (const { task, writes, end: ended } of made) {
      for (const [idx, channel, value] of writes) {
        const text = `${task} ${channel} ${value}`;
        possible.add(text);
        const kept = idx >= 0 ? shown.has(text) : hasSpecial(tuple, task, channel);
        if (ended < begin && !kept) faults.push(`lacks the write ${text} of ${name}`);
      }
    }
    for (const text of shown) {
      if (!possible.has(text)) faults.push(`shows the write ${text} of ${name}, which nobody made`);
    }
    return faults;
  }

  /** The checkpoints that must be shown and are not. */
  #missing(shown, begin, end, isAsked) {
    return [...this.#puts.values()].filter((put) => {
      return put.end < begin && put.loose > end && isAsked(put) && !shown.has(placeOf(put));
    });
  }

  #get({ ns, id, read, begin, end }) {
    const [tuple] = read;
    const faults = tuple === undefined ? [] : this.#tuple(tuple, begin, end);
    const shown = new Set(read.map(placeOf));
    const missing = this.#missing(shown, begin, end, (put) => {
      if (put.ns !== ns) return false;
      return id === undefined ? tuple === undefined || put.id > tuple.id : put.id === id;
    });
    return [...faults, ...missing.map((put) => `lacks ${placeOf(put)}`)];
  }

  #list({ read, begin, end }) {
    const faults = read.flatMap((tuple) => this.#tuple(tuple, begin, end));
    const missing = this.#missing(new Set(read.map(placeOf)), begin, end, () => true);
    return [...faults, ...missing.map((put) => `lacks ${placeOf(put)}`)];
  }

  /** The list of a copy, which the process of the copy made next. */
  #copy(call) {
    const [name, n] = call.key.split(" ");
    const copy = this.#calls.find(({ key }) => key === `${name} ${n - 1}`);
    if (copy?.failed !== undefined) {
      return call.read.length === 0 ? [] : ["a copy that failed is shown"];
    }
    const { begin, latest, read: work } = copy;
    // What removes runs, or prunes idle threads, does so in copies too.
    const isPruned = this.#group.rule.runs || this.#group.ts !== undefined;
    const end = isPruned ? call.end : copy.end;
    const shown = new Set(call.read.map(placeOf));
    const faults = call.read.flatMap((tuple) => this.#tuple(tuple, begin, end));
    if (!isPruned && work.checkpoints !== call.read.length) faults.push("counts other checkpoints");
    const newest = (put) => call.read.some(({ ns, id }) => ns === put.ns && id > put.id);
    const missing = this.#missing(shown, begin, end, (put) => !latest || !newest(put));
    faults.push(...missing.map((put) => `lacks ${placeOf(put)}`));
    const spaces = new Set(call.read.map(({ ns }) => ns));
    if (latest && !this.#group.isDelta && spaces.size !== call.read.length) {
      faults.push("has more than the latest checkpoint of a namespace");
    }
    if (!latest) faults.push(...this.#causes(call.read, end));
    return faults;
  }

  /** A state has nothing without what was stored before it. */
  #causes(tuples, end) {
    const shown = new Set(tuples.map(placeOf));
    const last = Math.max(...tuples.map((tuple) => this.#puts.get(placeOf(tuple))?.begin ?? 0));
    return [...this.#puts.values()]
      .filter((put) => put.end < last && put.loose > end && !shown.has(placeOf(put)))
      .map((put) => `has what came after ${placeOf(put)}, and lacks that`);
  }

  #history({ ns, id, of, read, begin, end }) {
    const put = this.#puts.get(`${ns}|${id}`);
    // Nobody asks for the history of a channel that has a value.
    if (put?.seed !== undefined) return [];
    const values = [];
    let seed = "none";
    for (let at = put?.parent; at !== undefined; ) {
      const ancestor = this.#puts.get(`${ns}|${at}`);
      if (ancestor === undefined) break;
      const writes = ancestor.writes.filter((write) => write.failed === undefined);
      const byTask = [...writes].sort((a, b) => (a.task < b.task ? -1 : 1));
      values.unshift(
        ...byTask.flatMap(({ task, writes: made }) => {
          return made.filter(([idx]) => idx >= 0).map(([, , value]) => `${task}=${value}`);
        }),
      );
      seed = ancestor.seed ?? "none";
      if (seed !== "none") break;
      at = ancestor.parent;
    }
    const expected = [seed, ...values].join(" ");
    if (read === expected) return [];
    // It was removed before the history was read.
    if (of === this.#group.thread && put.loose < end && read === "none") return [];
    return [`of ${ns}|${id} in ${of} gave ${read}, not ${expected} (${begin})`];
  }

  #stats({ read: { checkpoints }, begin, end }) {
    const puts = [...this.#puts.values()];
    const most = puts.filter((put) => put.begin < end && put.gone >= begin).length;
    const least = puts.filter((put) => put.end < begin && put.loose > end).length;
    if (checkpoints >= least && checkpoints <= most) return [];
    return [`counts ${checkpoints} checkpoints, not ${least} to ${most}`];
  }
}

function hasSpecial(tuple, task, channel) {
  return tuple.writes.some(([of, name]) => of === task && name === channel);
}
