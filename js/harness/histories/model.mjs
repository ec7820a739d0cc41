// A model of a thread, in two maps: the effect of every write and the result of every read. Writes
// can be undone, as the search tries many orders.

import { stateDigest, summary, valueDigest } from "../support/summary.mjs";

/** The places of the special channels. There a newer write replaces the older one. */
const SPECIAL = new Map([
  ["__error__", -1],
  ["__scheduled__", -2],
  ["__interrupt__", -3],
  ["__resume__", -4],
]);

/**
 * The writes of a call: their places, whether they replace an older write, and digests of their
 * values.
 */
function placed({ writes }) {
  return writes.map(([channel, text], position) => {
    const idx = SPECIAL.get(channel);
    return { idx: idx ?? position, replaces: idx !== undefined, channel, value: valueDigest(text) };
  });
}

/** The effect of a call in the model. `call` is a plan's, with its texts. */
export function effectOf(call) {
  switch (call.op) {
    case "put": {
      const state = stateDigest(call.metadata, call.values);
      return { op: "put", id: call.id, checkpoint: { parent: call.parent, state } };
    }
    case "writes":
      return { op: "writes", id: call.id, task: call.task, places: placed(call) };
    default:
      return { op: call.op, id: call.id };
  }
}

/** Whether a call changes what is stored. */
export function isWrite({ op }) {
  return op !== "get" && op !== "list";
}

/** The marks that a read shows if a write took effect; undefined for a deletion. */
export function marksOf({ op, id, task, checkpoint, places }) {
  if (op === "put") return [`${id} after ${checkpoint.parent ?? "none"} ${checkpoint.state}`];
  if (op === "writes") return places.map(({ channel, value }) => `${task}:${channel}=${value}`);
  return undefined;
}

/** The state of one thread. */
export class Thread {
  #checkpoints = new Map();
  /** By checkpoint, task and place. */
  #writes = new Map();
  /** Hashes of the state, independent of the order in which it came about. */
  #sums = [0, 0];

  /** Applies a write, and returns a function that undoes it. */
  apply({ op, id, checkpoint, task, places }) {
    const undo = [];
    if (op === "put") {
      this.#set(this.#checkpoints, id, checkpoint, undo);
    } else if (op === "writes") {
      for (const place of places) {
        const key = `${id} ${task} ${place.idx}`;
        const kept = !place.replaces && this.#writes.has(key);
        if (!kept) this.#set(this.#writes, key, { ...place, id, task }, undo);
      }
    } else {
      for (const map of [this.#checkpoints, this.#writes]) {
        for (const key of [...map.keys()]) this.#set(map, key, undefined, undo);
      }
    }
    return () => {
      for (const one of undo.reverse()) one();
    };
  }

  /** What a read gives. */
  read({ op, id }) {
    if (op === "list")
      return this.#ids()
        .map((one) => this.#summary(one))
        .join("\n");
    const found = id ?? this.#ids()[0];
    return this.#checkpoints.has(found) ? this.#summary(found) : "nothing";
  }

  /** The hash of the state. */
  get sum() {
    return this.#sums.join();
  }

  #ids() {
    return [...this.#checkpoints.keys()].sort().reverse();
  }

  #summary(id) {
    const own = [...this.#writes.values()].filter((write) => write.id === id);
    own.sort((a, b) => (a.task < b.task ? -1 : a.task > b.task ? 1 : a.idx - b.idx));
    const writes = own.map(({ task, channel, value }) => [task, channel, value]);
    return summary({ id, ...this.#checkpoints.get(id), writes });
  }

  #set(map, key, value, undo) {
    const before = map.get(key);
    const put = (next, last) => {
      this.#add(map, key, last);
      this.#add(map, key, next);
      if (next === undefined) map.delete(key);
      else map.set(key, next);
    };
    put(value, before);
    undo.push(() => put(before, value));
  }

  #add(map, key, value) {
    if (value === undefined) return;
    const text = `${map === this.#writes} ${key} ${value.parent} ${value.state} ${value.value}`;
    this.#sums = this.#sums.map((sum, index) => sum ^ hash(text, index));
  }
}

/** The hash of a text (FNV-1a) with a seed. */
function hash(text, seed) {
  let sum = (0x811c9dc5 ^ (seed * 0x9e3779b9)) >>> 0;
  for (let at = 0; at < text.length; at += 1) {
    sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  }
  return sum ^ (sum >>> 15);
}
