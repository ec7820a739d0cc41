// A saver with a cache beside one without: both must store and give the same.

import { isDeepStrictEqual } from "node:util";

import type { RunnableConfig } from "@langchain/core/runnables";
import type { CheckpointTuple, SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { JsonPlusSerde } from "../../src/entries/index.js";
import { type SqliteOptions, SqliteSaver } from "../../src/entries/sqlite.js";
import { all, checkpoint, config, metadata } from "./checkpoints.js";
import { rowsIn } from "./rows.js";

/** A serializer without warnings. */
export function quietSerde(): JsonPlusSerde {
  return new JsonPlusSerde({ onWarning: () => {} });
}

/** Another saver on a saver's database, with an empty cache. */
export function freshOn({ db, serde }: SqliteSaver, options: SqliteOptions = {}): SqliteSaver {
  return new SqliteSaver(db, serde, options);
}

/** Expects equal values of equal classes. `-0` does not equal 0. */
export function expectSame(actual: unknown, expected: unknown, about = "the outcomes"): void {
  if (isDeepStrictEqual(actual, expected)) return;
  expect(actual, about).toStrictEqual(expected);
  expect.fail(`${about} differ in what only node:util sees`);
}

/** Expects the same rows in both databases. */
export function expectSameRows(one: SqliteSaver, other: SqliteSaver): void {
  expectSame(rowsIn(one.db), rowsIn(other.db), "the stored rows");
}

/** Two savers on separate databases, which get the same calls. */
export class Twins {
  readonly remembering: SqliteSaver;
  readonly forgetful: SqliteSaver;
  #last: string | undefined;
  #number = 0;

  constructor(options: SqliteOptions = {}, toSerde: () => SerializerProtocol = quietSerde) {
    const open = (more: SqliteOptions) => {
      return SqliteSaver.fromConnString(":memory:", { ...options, serde: toSerde(), ...more });
    };
    this.remembering = open({});
    this.forgetful = open({ cacheBytes: 0 });
    onTestFinished(() => {
      this.remembering.close();
      this.forgetful.close();
    });
  }

  /** Puts the values with both savers, as the next checkpoint of a thread. */
  async put(values: Record<string, unknown>, thread = "t"): Promise<void> {
    this.#number += 1;
    const next = checkpoint(this.#number, values);
    const parent = config(thread, this.#last);
    const put = (saver: SqliteSaver) => {
      return saver.put(parent, next, metadata(this.#number), next.channel_versions);
    };
    const [one, other] = await Promise.allSettled([put(this.remembering), put(this.forgetful)]);
    expectSame(one.status, other.status);
    if (one.status === "fulfilled") this.#last = next.id;
  }

  /** Expects the same rows, and the same tuple from each saver and from one with an empty cache. */
  async expectSame(at: RunnableConfig = config("t")): Promise<CheckpointTuple | undefined> {
    expectSameRows(this.remembering, this.forgetful);
    const expected = await this.forgetful.getTuple(at);
    expectSame(await freshOn(this.remembering).getTuple(at), expected, "what a fresh saver reads");
    const tuple = await this.remembering.getTuple(at);
    expectSame(tuple, expected, "what the saver gives that remembers");
    const [one, other] = await Promise.all(
      [this.remembering, this.forgetful].map((saver) => all(saver.list(at, { limit: 3 }))),
    );
    expectSame(one, other, "the lists");
    return tuple;
  }
}
