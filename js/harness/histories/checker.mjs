// Looks for an order of the calls that explains every read: the search of Wing and Gong, with the
// memory that Lowe added. Calls of different threads do not affect one another, so each thread is
// checked separately.

import { effectOf, isWrite, marksOf, Thread } from "./model.mjs";

/** At most this many states are tried for one thread. A history that needs more is not decided. */
const STATES_MAX = 50_000;

/**
 * Checks the history of one thread. Its calls have
 *
 * - `call`: the call,
 * - `begin`, `end`: places in the order of events; no `end` if nobody knows whether the call took
 *   effect, which it may do at any time or never,
 * - `line`: calls of one line take effect in the order they were made,
 * - `read`: what a read gave.
 *
 * Returns `undefined` if an order was found, else the calls that no order explains.
 */
export function unexplained(calls) {
  const search = new Search(calls);
  if (search.run()) return undefined;
  return { decided: search.decided, blocked: search.blocked, calls: search.calls };
}

/** Leaves out calls without an end that no read shows: an order without them explains as much. */
function withoutUnseen(calls) {
  const reads = calls.map(({ read }) => read).filter((read) => read !== undefined);
  const seen = (mark) => reads.some((read) => read.includes(mark));
  return calls.filter(({ end, effect }) => {
    if (end !== undefined) return true;
    if (!isWrite(effect)) return false;
    const marks = marksOf(effect);
    return marks === undefined || marks.some(seen);
  });
}

class Search {
  /** False if the search gave up before it had tried or ruled out every order. */
  decided = true;
  /** The reads that could not be explained at the point where the search got furthest. */
  blocked = [];
  #thread = new Thread();
  #done;
  #left;
  #furthest = -1;
  #tried = new Set();
  #sums = [0, 0];
  #draws;

  constructor(calls) {
    const all = calls.map((call) => ({ ...call, effect: effectOf(call.call) }));
    this.calls = withoutUnseen(all).sort((a, b) => a.begin - b.begin);
    this.#done = this.calls.map(() => false);
    this.#left = this.calls.filter(({ end }) => end !== undefined).length;
    // A set of calls is identified by the XOR of random numbers, one for each call.
    let state = 1;
    const draw = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.imul(state ^ (state >>> 16), 0x45d9f3b);
    };
    this.#draws = this.calls.map(() => [draw(), draw()]);
  }

  run() {
    const explained = this.#explain();
    const read = this.#left === 0 || this.#next();
    for (const at of explained.reverse()) this.#undo(at);
    return read;
  }

  /** Tries the calls that may come next. */
  #next() {
    const key = `${this.#sums.join()} ${this.#thread.sum}`;
    if (this.#tried.has(key)) return false;
    if (this.#tried.size >= STATES_MAX) {
      this.decided = false;
      return false;
    }
    this.#tried.add(key);
    const possible = this.#possible();
    this.#remember(possible);
    const writes = possible.filter((at) => isWrite(this.calls[at].effect));
    // The call that ended first most likely took effect first; one without an end, last.
    writes.sort((a, b) => this.#endOf(a) - this.#endOf(b));
    return writes.some((at) => {
      const undo = this.#thread.apply(this.calls[at].effect);
      this.#do(at);
      const found = this.run();
      this.#undo(at);
      undo();
      return found;
    });
  }

  /**
   * Takes every read that may come next and is explained by the current state. Reads change
   * nothing.
   */
  #explain() {
    const explained = [];
    for (let more = true; more; ) {
      more = false;
      for (const at of this.#possible()) {
        const { effect, read } = this.calls[at];
        if (isWrite(effect) || this.#thread.read(effect) !== read) continue;
        this.#do(at);
        explained.push(at);
        more = true;
      }
    }
    return explained;
  }

  /** The calls that may come next: those that no remaining call has to precede. */
  #possible() {
    let ends = Number.POSITIVE_INFINITY;
    const lines = new Set();
    const possible = [];
    for (let at = 0; at < this.calls.length; at += 1) {
      if (this.#done[at]) continue;
      const { begin, line, end } = this.calls[at];
      if (begin > ends) break;
      if (line === undefined || !lines.has(line)) possible.push(at);
      if (end === undefined) continue;
      if (line !== undefined) lines.add(line);
      ends = Math.min(ends, end);
    }
    return possible;
  }

  #remember(possible) {
    const depth = this.calls.length - this.#left;
    if (depth <= this.#furthest) return;
    this.#furthest = depth;
    this.blocked = possible
      .map((at) => this.calls[at])
      .filter(({ effect }) => !isWrite(effect))
      .map((call) => ({ ...call, expected: this.#thread.read(call.effect) }));
  }

  #endOf(at) {
    return this.calls[at].end ?? Number.POSITIVE_INFINITY;
  }

  #do(at) {
    this.#done[at] = true;
    this.#toggle(at, -1);
  }

  #undo(at) {
    this.#done[at] = false;
    this.#toggle(at, 1);
  }

  #toggle(at, left) {
    if (this.calls[at].end !== undefined) this.#left += left;
    this.#sums = this.#sums.map((sum, index) => sum ^ this.#draws[at][index]);
  }
}
