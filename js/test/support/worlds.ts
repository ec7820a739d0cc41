// Random calls of a saver in its own world: its database, and the state that an application would
// hold. Two worlds with the same calls have equal objects, but share none.

import type { CheckpointTuple } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";

import type { StorageSaver } from "../../src/entries/index.js";
import { mutation, trackedValue } from "../changes/arbitraries.js";
import { all, checkpoint, config, idOf, metadata } from "./checkpoints.js";

type Values = Record<string, unknown>;
type Mutation = Parameters<Parameters<typeof mutation.map>[0]>[0];

/** A change of a list or map that leaves most of it unchanged. */
interface Edit {
  readonly kind: "push" | "unshift" | "insert" | "remove" | "replace" | "reverse" | "empty";
  readonly at: number;
  readonly value: unknown;
}

/** An event in a world. */
export type Event =
  | { readonly kind: "set"; readonly channel: string; readonly value: unknown }
  | { readonly kind: "drop"; readonly channel: string }
  | { readonly kind: "edit"; readonly channel: string; readonly edits: readonly Edit[] }
  | { readonly kind: "mutate"; readonly channel: string; readonly mutations: readonly Mutation[] }
  | { readonly kind: "put"; readonly times: number }
  | { readonly kind: "writes"; readonly value: unknown }
  | { readonly kind: "get"; readonly back: number; readonly spoil: readonly Mutation[] }
  | { readonly kind: "resume"; readonly back: number }
  | { readonly kind: "list"; readonly spoil: readonly Mutation[] }
  | { readonly kind: "other"; readonly value: unknown }
  | { readonly kind: "delete"; readonly byOther: boolean }
  | { readonly kind: "switch"; readonly place: number };

const channel = fc.constantFrom("messages", "files", "other");
const items = fc.array(trackedValue, { maxLength: 12 });
const fields = fc.dictionary(fc.constantFrom("a", "b", "c", "1", "lc", "x y"), trackedValue);
const value = fc.oneof(
  { weight: 3, arbitrary: items },
  { weight: 2, arbitrary: fields },
  { weight: 1, arbitrary: trackedValue },
  // Enough elements for a spine of several chunks, with text in many languages.
  {
    weight: 1,
    arbitrary: fc.integer({ min: 30, max: 90 }).map((count) => {
      return Array.from({ length: count }, (_, index) => ({
        index,
        text: "gr\u{fc}\u{df}e ".repeat(20),
      }));
    }),
  },
);

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(
    "push",
    "push",
    "unshift",
    "insert",
    "remove",
    "replace",
    "reverse",
    "empty",
  ),
  at: fc.nat({ max: 100 }),
  value: trackedValue,
});
const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });
const back = fc.nat({ max: 4 });

/** An event. Puts are frequent, as only they store what other events change. */
export const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("set" as const), channel, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), channel }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      channel,
      edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("mutate" as const), channel, mutations }) },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant("put" as const), times: fc.constantFrom(1, 1, 1, 2) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("writes" as const), value: trackedValue }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("get" as const), back, spoil: mutations }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("resume" as const), back }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("list" as const), spoil: mutations }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("other" as const), value: items }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), byOther: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("switch" as const), place: fc.nat({ max: 3 }) }),
  },
);

/** One of a few threads and namespaces, and what the application knows of it. */
interface Place {
  readonly thread: string;
  readonly namespace: string;
  values: Values;
  stored: string[];
}

/** A saver and its application. */
export class World<Saver extends StorageSaver> {
  readonly saver: Saver;
  /** Another saver on the same database, with an empty cache. */
  readonly #fresh: (saver: Saver) => StorageSaver;
  readonly places: readonly Place[] = [0, 1, 2, 3].map((index) => {
    const [thread, namespace] = [`t${index >> 1}`, index % 2 === 0 ? "" : "inner|1"];
    return { thread, namespace, values: {}, stored: [] };
  });
  #at = 0;
  #number = 0;

  constructor(saver: Saver, fresh: (saver: Saver) => StorageSaver) {
    this.saver = saver;
    this.#fresh = fresh;
  }

  /** The outcome of an event, or its error's code. */
  async outcomeOf(event: Event): Promise<unknown> {
    try {
      return await this.#perform(event, this.place);
    } catch (thrown) {
      if (thrown instanceof Error && "code" in thrown) return { error: thrown.code };
      throw thrown;
    }
  }

  get place(): Place {
    const place = this.places[this.#at];
    if (place === undefined) throw new RangeError("there are four places");
    return place;
  }

  async #perform(event: Event, place: Place): Promise<unknown> {
    const { values } = place;
    switch (event.kind) {
      case "set":
        values[event.channel] = event.value;
        return undefined;
      case "drop":
        delete values[event.channel];
        return undefined;
      case "edit":
        for (const one of event.edits) applyEdit(values[event.channel], one);
        return undefined;
      case "mutate":
        for (const one of event.mutations) one.apply(values[event.channel]);
        return undefined;
      case "put":
        return this.#put(this.saver, place, values, event.times);
      case "writes": {
        const target = config(place.thread, place.stored.at(-1) ?? idOf(0), place.namespace);
        return this.saver.putWrites(target, [["messages", event.value]], "task");
      }
      case "get": {
        const read = () => this.saver.getTuple(this.#config(event.back));
        return spoiled(event.spoil, read);
      }
      case "resume":
        return this.#resume(place, event.back);
      case "list": {
        const read = () => all(this.saver.list({ configurable: { thread_id: place.thread } }));
        return spoiled(event.spoil, read);
      }
      case "other":
        return this.#put(this.#fresh(this.saver), place, { messages: event.value, theirs: 1 }, 1);
      case "delete":
        return this.#delete(event.byOther, place.thread);
      case "switch":
        this.#at = event.place;
        return undefined;
    }
  }

  /** Goes on from a checkpoint, as an invocation does. If it is not the latest, that is a fork. */
  async #resume(place: Place, back: number): Promise<CheckpointTuple | undefined> {
    const tuple = await this.saver.getTuple(this.#config(back));
    if (tuple !== undefined) place.values = { ...tuple.checkpoint.channel_values };
    return tuple;
  }

  #config(back: number) {
    const { thread, namespace, stored } = this.place;
    return config(thread, back === 0 ? undefined : stored.at(-1 - back), namespace);
  }

  /** Puts once, or several times without waiting. Changes made after the call must not show. */
  async #put(saver: StorageSaver, place: Place, values: Values, times: number): Promise<unknown> {
    const ids: string[] = [];
    const puts = Array.from({ length: times }, () => {
      this.#number += 1;
      const next = checkpoint(this.#number, { ...values, step: this.#number });
      ids.push(next.id);
      const parent = config(place.thread, place.stored.at(-1), place.namespace);
      return saver.put(parent, next, metadata(this.#number), next.channel_versions);
    });
    const settled = await Promise.allSettled(puts);
    settled.forEach(({ status }, index) => {
      if (status === "fulfilled") place.stored.push(ids[index] ?? "");
    });
    return settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason.code));
  }

  async #delete(byOther: boolean, thread: string): Promise<void> {
    await (byOther ? this.#fresh(this.saver) : this.saver).deleteThread(thread);
    for (const place of this.places) {
      if (place.thread === thread) place.stored = [];
    }
  }
}

/** Reads, changes what was read, and reads again. The change must not show. */
async function spoiled<Read>(spoil: readonly Mutation[], read: () => Promise<Read>): Promise<Read> {
  const first = await read();
  for (const one of spoil) one.apply(first);
  return read();
}

function applyEdit(target: unknown, { kind, at, value }: Edit): void {
  try {
    if (Array.isArray(target)) editItems(target, kind, at % (target.length + 1), value);
    else if (Object.getPrototypeOf(target ?? 0) === Object.prototype) {
      editFields(target as Values, kind, at, value);
    }
  } catch (error) {
    // Frozen objects, and arrays that lost their prototype, cannot be changed.
    if (!(error instanceof TypeError)) throw error;
  }
}

function editItems(items: unknown[], kind: Edit["kind"], at: number, value: unknown): void {
  if (kind === "push") items.push(value);
  else if (kind === "unshift") items.unshift(value);
  else if (kind === "insert") items.splice(at, 0, value);
  else if (kind === "remove") items.splice(at, 1 + (at % 3));
  else if (kind === "replace") items.splice(at, 1, value);
  else if (kind === "reverse") items.reverse();
  else items.splice(0);
}

function editFields(fields: Values, kind: Edit["kind"], at: number, value: unknown): void {
  const names = Object.keys(fields);
  const name = names[at % names.length] ?? "a";
  if (kind === "remove") delete fields[name];
  else if (kind === "empty") for (const one of names) delete fields[one];
  else if (kind === "reverse" || kind === "insert") {
    const old = fields[name];
    delete fields[name];
    fields[kind === "reverse" ? name : `k${at}`] = old;
  } else fields[kind === "replace" ? name : `k${at}`] = value;
}
