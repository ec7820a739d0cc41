// The calls of a thread take effect in the order they are made, awaited or not, on every way of
// running batches, with and without a cache.

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import Database from "better-sqlite3";
import { type Batch, JsonPlusSerde, type RowSet, StorageSaver } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { BetterSqlite3Connection } from "../../src/stores/sqlite/better-sqlite3.js";
import { CommitQueue } from "../../src/stores/sqlite/commit-queue.js";
import { all, checkpoint, config, idOf, ids, metadata } from "../support/checkpoints.js";

/** Runs each batch some microtasks later; the first batches wait longest. */
class Slow {
  readonly #queue: CommitQueue;
  #wait = 64;

  constructor(db: Database.Database) {
    this.#queue = new CommitQueue(new BetterSqlite3Connection(db), { busyDeadlineMs: 1000 });
  }

  async run(batch: Batch): Promise<RowSet[]> {
    this.#wait = Math.max(0, this.#wait - 16);
    for (let waited = 0; waited < this.#wait; waited += 1) await undefined;
    return this.#queue.run(batch);
  }
}

/** Serializes asynchronously; the first values take longest. */
class SlowSerde implements SerializerProtocol {
  readonly #serde = new JsonPlusSerde();
  #wait = 64;

  async dumpsTyped(value: unknown): Promise<[string, Uint8Array]> {
    const [kind, bytes] = this.#serde.dumps(value);
    this.#wait = Math.max(0, this.#wait - 4);
    for (let waited = 0; waited < this.#wait; waited += 1) await undefined;
    return [kind, bytes];
  }

  async loadsTyped(kind: string, bytes: Uint8Array): Promise<unknown> {
    return this.#serde.loads(kind, bytes);
  }
}

type Options = { cacheBytes?: number };
const KINDS: [string, (db: Database.Database, options: Options) => StorageSaver][] = [
  ["a queue", (db, options) => new SqliteSaver(db, undefined, options)],
  ["a slow adapter", (db, options) => new StorageSaver(new Slow(db), undefined, options)],
  ["a slow serializer", (db, options) => new SqliteSaver(db, new SlowSerde(), options)],
];

const SAVERS = KINDS.flatMap(([name, make]) => {
  return [
    { name: `${name}, new`, make, options: {}, prepared: false },
    { name: `${name}, in use`, make, options: {}, prepared: true },
    { name: `${name}, without memory`, make, options: { cacheBytes: 0 }, prepared: true },
  ];
});

describe.each(SAVERS)("$name", ({ make, options, prepared }) => {
  /** A saver whose thread `t` has a checkpoint 1 with the channels `a` and `b`, or nothing. */
  async function begun(): Promise<{ saver: StorageSaver; db: Database.Database }> {
    const db = new Database(":memory:");
    onTestFinished(() => {
      db.close();
    });
    const saver = make(db, options);
    if (prepared) await put(saver, 1, { a: 1, b: 1 });
    return { saver, db };
  }

  /** The planner does not know whether the thread has `b`, so it has to read first. */
  function put(saver: StorageSaver, n: number, values: Record<string, unknown>) {
    const versions = n === 1 ? values : { a: n };
    return saver.put(config("t"), checkpoint(n, values), metadata(n), versions as never);
  }

  test("a_thread_deleted_after_a_put_is_gone", async () => {
    const { saver } = await begun();
    await Promise.all([put(saver, 2, { a: 2, b: 2 }), saver.deleteThread("t")]);
    expect(await saver.getTuple(config("t"))).toBeUndefined();
  });

  test("a_put_after_a_deletion_stays", async () => {
    const { saver } = await begun();
    const last = put(saver, 2, { a: 2, b: 2 });
    await Promise.all([last, saver.deleteThread("t"), put(saver, 3, { a: 3 })]);
    expect(await ids(saver.list(config("t")))).toEqual([idOf(3)]);
  });

  test("a_read_sees_the_put_before_it", async () => {
    const { saver } = await begun();
    const stored = put(saver, 2, { a: 2, b: 2 });
    const [tuple, listed] = await Promise.all([
      saver.getTuple(config("t")),
      ids(saver.list(config("t"), { limit: 1 })),
      stored,
    ]);
    expect([tuple?.checkpoint.id, listed]).toEqual([idOf(2), [idOf(2)]]);
  });

  test("a_list_of_all_threads_sees_the_put_before_it", async () => {
    const { saver } = await begun();
    const stored = put(saver, 2, { a: 2 });
    const listed = await ids(saver.list({}, { limit: 1 }));
    expect(listed).toEqual([idOf(2)]);
    await stored;
  });

  test("reads_see_nothing_of_the_calls_after_them", async () => {
    const { saver } = await begun();
    await put(saver, 1, { a: 1, b: 1 });
    const channels = { config: config("t"), channels: ["a"] };
    const read = [
      saver.getTuple(config("t")).then((tuple) => tuple?.checkpoint.id),
      ids(saver.list(config("t"), { filter: { step: 1 } })),
      ids(saver.list({})),
      saver.getDeltaChannelHistory(channels),
    ];
    const before = await saver.getDeltaChannelHistory(channels);
    const again = [
      saver.getTuple(config("t")).then((tuple) => tuple?.checkpoint.id),
      ids(saver.list(config("t"), { filter: { step: 1 } })),
      ids(saver.list({})),
      saver.getDeltaChannelHistory(channels),
    ];
    await saver.deleteThread("t");
    const seen = [idOf(1), [idOf(1)], [idOf(1)], before];
    expect(await Promise.all(read)).toEqual(seen);
    expect(await Promise.all(again)).toEqual(seen);
  });

  test("of_two_puts_of_one_id_the_last_stays", async () => {
    const { saver } = await begun();
    await Promise.all([put(saver, 2, { a: "first", b: 1 }), put(saver, 2, { a: "second" })]);
    expect((await saver.getTuple(config("t")))?.checkpoint.channel_values).toEqual({ a: "second" });
  });

  test("of_two_writes_at_one_place_the_first_stays", async () => {
    const { saver } = await begun();
    const write = (value: string) => saver.putWrites(config("t", idOf(1)), [["a", value]], "task");
    await Promise.all([put(saver, 1, { a: 1 }), write("first"), write("second")]);
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.pendingWrites).toEqual([["task", "a", "first"]]);
  });

  test("three_puts_keep_their_channels_apart", async () => {
    const { saver } = await begun();
    await Promise.all([
      put(saver, 1, { a: 1, b: 1 }),
      put(saver, 2, { a: 2, b: 2 }),
      put(saver, 3, { a: 3, c: 3 }),
    ]);
    const values = (await all(saver.list(config("t")))).map((tuple) => {
      return tuple.checkpoint.channel_values;
    });
    expect(values).toEqual([{ a: 3 }, { a: 2, b: 2 }, { a: 1, b: 1 }]);
  });

  test("a_call_that_fails_holds_up_nothing", async () => {
    const { saver } = await begun();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const settled = await Promise.allSettled([
      put(saver, 2, { a: 2 }),
      put(saver, 3, { a: cycle }),
      put(saver, 4, { a: 4 }),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(4));
  });

  test("a_put_whose_thread_another_saver_deleted_comes_before_a_deletion_after_it", async () => {
    const { saver, db } = await begun();
    await put(saver, 2, { a: [1, 2, 3], b: "long ".repeat(100) });
    await new SqliteSaver(db).deleteThread("t");
    const stored = put(saver, 3, { a: [1, 2, 3, 4], b: "long ".repeat(100) });
    await Promise.all([stored, saver.deleteThread("t")]);
    expect(await saver.getTuple(config("t"))).toBeUndefined();
  });
});
