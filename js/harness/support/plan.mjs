// What a process does, drawn from a seed. The callers of both hosts follow it.
//
// A plan has turns. The calls of a turn are made one after the other (`each`), all at once and then
// awaited (`together`), or not awaited before the next turn (`later`). The values of states are
// indexes into `texts`, as most of a state is the same as in the one before.

/** The default options of a plan. */
const DEFAULTS = {
  turns: 40,
  /** The threads that exist at a turn. */
  threads: () => ["t0", "t1"],
  /** The number of processes, and the index of this one. */
  processes: 1,
  index: 0,
  /** How likely a turn reopens the database. */
  reopen: 0.05,
  /** How likely an application that deletes a thread starts it over instead of going on. */
  anew: 0.5,
  /** Whether a deletion runs with no other call under way. */
  deletesAlone: false,
  /** Whether every channel of every put is in `newVersions`. */
  allNew: false,
  /** How likely a put has a state of about 100 KB. */
  big: 0.05,
  kinds: {
    put: 30,
    superstep: 30,
    putAndGet: 8,
    putAndList: 6,
    putAndDelete: 3,
    deleteAndPut: 3,
    putTwice: 4,
    deleteAlone: 3,
    fork: 8,
    writes: 12,
    get: 10,
    list: 8,
    several: 10,
  },
  waits: { together: 6, each: 3, later: 2 },
  caches: [undefined, 3000, 0],
};

const TASKS = ["task-a", "task-b", "task-c"];
const SPECIAL = ["__error__", "__interrupt__", "__resume__"];

/** The id of the checkpoint that a process puts as its `number`th of a thread. */
function idOf(number, index) {
  const [high, low] = [String(number).padStart(8, "0"), String(index).padStart(4, "0")];
  return `1f000000-0000-6000-8000-${high}${low}`;
}

/** Draws the plan of one process. */
export function makePlan(draw, name, options = {}) {
  const planner = new Planner(draw, name, { ...DEFAULTS, ...options });
  const turns = [];
  for (let turn = 0; turn < planner.options.turns; turn += 1) turns.push(planner.turn(turn));
  return { name, turns, texts: planner.texts };
}

/** A call of a plan with the texts of its values. */
export function withTexts(plan, call) {
  if (call.values === undefined) return call;
  const entries = Object.entries(call.values);
  const values = entries.map(([channel, number]) => [channel, plan.texts[number]]);
  return { ...call, values: Object.fromEntries(values) };
}

class Planner {
  #draw;
  #name;
  #calls = 0;
  /** The application's own branch of each thread. */
  #branches = new Map();
  texts = [];
  /** The index of each text. */
  #numbers = new Map();

  constructor(draw, name, options) {
    this.#draw = draw;
    this.#name = name;
    this.options = options;
  }

  turn(number) {
    const { threads, kinds, waits, reopen, caches } = this.options;
    const thread = this.#draw.pick(threads(number));
    const kind = this.#draw.weighted(kinds);
    const turn = { calls: [], wait: this.#draw.weighted(waits) };
    if (number === 0 || this.#draw.chance(reopen)) {
      turn.open = { cacheBytes: this.#draw.pick(caches) };
    }
    const calls =
      kind === "several" ? threads(number).map((one) => this.#put(one)) : this[kind](thread);
    // A read at the end may show the effect of the calls before it.
    if (this.#draw.chance(0.25)) calls.push(this.#get(thread));
    if (this.options.deletesAlone && calls.some(({ op }) => op === "delete")) {
      turn.alone = true;
      turn.wait = "each";
    }
    turn.calls = calls.map((call) => ({ n: this.#calls++, ...call }));
    return turn;
  }

  put(thread) {
    return [this.#put(thread)];
  }

  /** The writes of tasks, then the checkpoint made from them, as LangGraph does. */
  superstep(thread) {
    const { latest } = this.#branch(thread);
    const tasks = latest === undefined ? [] : TASKS.slice(0, 1 + this.#draw.below(2));
    const writes = tasks.map((task) => this.#writes(thread, latest.id, task));
    return [...writes, this.#put(thread)];
  }

  putAndGet(thread) {
    return [this.#put(thread), this.#get(thread)];
  }

  putAndList(thread) {
    return [this.#put(thread), { op: "list", thread }];
  }

  putAndDelete(thread) {
    return [this.#put(thread), ...this.deleteAlone(thread)];
  }

  deleteAndPut(thread) {
    return [...this.deleteAlone(thread), this.#put(thread)];
  }

  /** Puts another state under an existing id. */
  putTwice(thread) {
    const first = this.#put(thread);
    const again = this.#put(thread);
    return [first, { ...again, id: first.id, parent: first.parent }];
  }

  /** Deletes a thread. The application goes on as if nothing had happened, or starts over. */
  deleteAlone(thread) {
    if (this.#draw.chance(this.options.anew)) this.#branches.delete(thread);
    return [{ op: "delete", thread }];
  }

  fork(thread) {
    const branch = this.#branch(thread);
    if (branch.past.length > 0) branch.latest = this.#draw.pick(branch.past);
    return [this.#put(thread)];
  }

  writes(thread) {
    const call = this.#writes(thread, this.#anyId(thread), this.#draw.pick(TASKS));
    return this.#draw.chance(0.3) ? [call, this.#writes(thread, call.id, call.task)] : [call];
  }

  get(thread) {
    return [this.#get(thread)];
  }

  list(thread) {
    return [{ op: "list", thread }];
  }

  #branch(thread) {
    const known = this.#branches.get(thread);
    if (known !== undefined) return known;
    const branch = { number: 0, latest: undefined, past: [] };
    this.#branches.set(thread, branch);
    return branch;
  }

  #get(thread) {
    const id = this.#draw.chance(0.5) ? undefined : this.#anyId(thread);
    return { op: "get", thread, id };
  }

  /** The id of a checkpoint of this or another process. It may not exist. */
  #anyId(thread) {
    const { number } = this.#branch(thread);
    return idOf(1 + this.#draw.below(number + 1), this.#draw.below(this.options.processes));
  }

  #writes(thread, id, task) {
    const count = 1 + this.#draw.below(2);
    const writes = Array.from({ length: count }, (_, at) => {
      const special = this.#draw.chance(0.15);
      const channel = special ? this.#draw.pick(SPECIAL) : "messages";
      return [channel, JSON.stringify({ by: this.#name, at: this.#calls, place: at })];
    });
    // A call has at most one write at each place.
    const once = new Map(writes.map((write, at) => [SPECIAL.indexOf(write[0]) + 1 || -at, write]));
    return { op: "writes", thread, id, task, writes: [...once.values()] };
  }

  #put(thread) {
    const branch = this.#branch(thread);
    const parent = branch.latest;
    branch.number += 1;
    const id = idOf(branch.number, this.options.index);
    const step = branch.number;
    const { values, changed } = this.#nextValues(parent?.values, id);
    const versions = { ...parent?.versions };
    const named = this.options.allNew ? Object.keys(values) : changed;
    for (const channel of named) versions[channel] = step;
    branch.latest = { id, values, versions };
    branch.past.push(branch.latest);
    const numbers = Object.entries(values).map(([channel, value]) => {
      return [channel, this.#number(JSON.stringify(value))];
    });
    return {
      op: "put",
      thread,
      id,
      ...(parent === undefined ? {} : { parent: parent.id }),
      metadata: JSON.stringify({ source: "loop", step, parents: {} }),
      values: Object.fromEntries(numbers),
      versions,
      changed: named,
    };
  }

  #number(text) {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }

  /** A state that follows another, with most of its values the same. */
  #nextValues(before, id) {
    const message = { id, by: this.#name, text: "word ".repeat(this.#draw.below(60)) };
    if (before === undefined) {
      const values = { messages: [message], files: {}, count: 1, [`own-${id.slice(-2)}`]: id };
      return { values, changed: Object.keys(values) };
    }
    const values = { ...before, messages: [...before.messages, message] };
    const changed = ["messages"];
    if (this.#draw.chance(0.4)) {
      const name = `file-${this.#draw.below(4)}`;
      const text = `${id} ${"line\n".repeat(this.#draw.below(200))}`;
      values.files = { ...before.files, [name]: text };
      changed.push("files");
    }
    if (this.#draw.chance(0.4)) {
      values.count = before.count + 1;
      changed.push("count");
    }
    if (this.#draw.chance(this.options.big)) {
      const part = () => this.#draw.below(2 ** 32).toString(36);
      values.big = Array.from({ length: 16_000 }, part).join("");
      changed.push("big");
    }
    return { values, changed };
  }
}
