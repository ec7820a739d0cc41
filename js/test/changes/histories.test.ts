// A saver that remembers the history of a delta channel must give the same as one that does not,
// whatever has happened to the ancestors.

import { HumanMessage } from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph-checkpoint";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { expectSame, freshOn } from "../support/twins.js";

const LONG = "x".repeat(300);

function open(options = {}): SqliteSaver {
  const saver = SqliteSaver.fromConnString(":memory:", options);
  onTestFinished(() => saver.close());
  return saver;
}

/** A thread that grows by a write to `list` a step. */
class Thread {
  readonly saver: SqliteSaver;
  readonly forgetful: SqliteSaver;
  last = 0;

  constructor(saver = open()) {
    this.saver = saver;
    this.forgetful = freshOn(saver, { cacheBytes: 0 });
  }

  async put(number: number, parent: number | undefined, values = {}): Promise<void> {
    const next = checkpoint(number, values);
    const given = next.channel_versions;
    const before = config("t", parent === undefined ? undefined : idOf(parent));
    await this.forgetful.put(before, next, metadata(number), given);
  }

  async write(number: number, value: unknown, task = "task", channel = "list"): Promise<void> {
    await this.forgetful.putWrites(config("t", idOf(number)), [[channel, value]], task);
  }

  async grow(steps = 1): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await this.write(this.last, [new HumanMessage({ content: `${this.last} ${LONG}`, id: "i" })]);
      this.last += 1;
      await this.put(this.last, this.last - 1);
    }
  }

  history(saver: SqliteSaver, number?: number) {
    const id = number === undefined ? undefined : idOf(number);
    return saver.getDeltaChannelHistory({ config: config("t", id), channels: ["list", "other"] });
  }

  async expectSame(number?: number) {
    const history = await this.history(this.saver, number);
    expectSame(history, await this.history(this.forgetful, number));
    return history;
  }
}

async function grown(steps: number, saver?: SqliteSaver): Promise<Thread> {
  const thread = new Thread(saver);
  await thread.put(0, undefined);
  await thread.grow(steps);
  await thread.expectSame();
  return thread;
}

test("a_history_that_grows_is_read_on", async () => {
  const thread = await grown(4);
  // What is remembered is not read again.
  thread.saver.db.exec("DELETE FROM lg_chunks");
  await thread.grow();
  const again = await thread.history(thread.saver);
  expect(again.list?.writes).toHaveLength(5);
  await expect(thread.history(thread.forgetful)).rejects.toThrow("is not stored");
});

const CHANGES: [string, (thread: Thread) => Promise<void>][] = [
  ["nothing", async () => {}],
  ["it_grows", (thread) => thread.grow(3)],
  ["an_ancestor_gets_a_write", (thread) => thread.write(2, "late", "another")],
  ["an_ancestor_s_first_task_gets_a_write", (thread) => thread.write(2, "late", "a")],
  ["the_nearest_ancestor_gets_a_write", (thread) => thread.write(3, "late", "another")],
  ["the_other_channel_gets_a_write", (thread) => thread.write(2, "late", "another", "other")],
  ["an_ancestor_gets_a_value", (thread) => thread.put(2, 1, { list: ["seed", LONG] })],
  ["an_ancestor_gets_another_parent", (thread) => thread.put(3, 1)],
  ["an_ancestor_becomes_its_own", (thread) => thread.put(2, 3)],
  ["an_ancestor_loses_its_parent", (thread) => thread.put(2, 99)],
  [
    "the_thread_is_deleted",
    async (thread) => {
      await thread.forgetful.deleteThread("t");
    },
  ],
  [
    "the_thread_is_another_with_the_same_ids",
    async (thread) => {
      await thread.forgetful.deleteThread("t");
      thread.last = 0;
      await thread.put(0, undefined);
      await thread.write(0, "another");
      await thread.put(1, 0);
      thread.last = 1;
      await thread.grow(3);
    },
  ],
  [
    "a_row_is_removed",
    async (thread) => {
      const row = `checkpoint_id = '${idOf(1)}' AND task_id <> ''`;
      expect(thread.saver.db.prepare(`DELETE FROM lg_records WHERE ${row}`).run().changes).toBe(1);
    },
  ],
];

test.each(CHANGES)("after_%s_it_is_as_if_read_for_the_first_time", async (_, change) => {
  const thread = await grown(4);
  await change(thread);
  await thread.expectSame();
  await thread.expectSame(3);
  await thread.grow(2);
  await thread.expectSame();
  await thread.expectSame(2);
  await thread.expectSame();
});

test("a_seed_that_is_known_is_given_again", async () => {
  const thread = new Thread();
  await thread.put(0, undefined, { list: ["seed", LONG] });
  await thread.put(1, 0);
  thread.last = 1;
  await thread.expectSame();
  await thread.grow(3);
  await thread.expectSame();
  await thread.grow();
  const history = await thread.expectSame();
  expect(history.list?.seed).toEqual(["seed", LONG]);
  expect(history.list?.writes).toHaveLength(4);
});

test("what_is_given_may_be_changed", async () => {
  const thread = await grown(3);
  const given = await thread.history(thread.saver);
  for (const [, , value] of given.list?.writes ?? []) {
    Object.assign(Object(value)[0], { content: "changed" });
    Object(value).push("more");
  }
  given.list?.writes.splice(0);
  await thread.expectSame();
  await thread.grow();
  await thread.expectSame();
});

test("what_is_undone_with_a_transaction_is_not_remembered", async () => {
  const thread = await grown(3);
  thread.saver.db.exec("BEGIN");
  await thread.saver.putWrites(config("t", idOf(3)), [["list", "undone"]], "task");
  const next = checkpoint(4);
  await thread.saver.put(config("t", idOf(3)), next, metadata(4), {});
  expect((await thread.history(thread.saver)).list?.writes).toHaveLength(4);
  thread.saver.db.exec("ROLLBACK");
  await thread.grow();
  const history = await thread.expectSame();
  expect(history.list?.writes.at(-1)?.[2]).not.toBe("undone");
});

test("another_serializer_gives_the_same", async () => {
  const thread = await grown(3, open({ serde: new MemorySaver().serde }));
  await thread.grow(2);
  await thread.expectSame();
});

test("threads_and_namespaces_keep_apart", async () => {
  const thread = await grown(3);
  const other = { config: config("other"), channels: ["list"] };
  expect((await thread.saver.getDeltaChannelHistory(other)).list?.writes).toEqual([]);
  const child = { config: config("t", undefined, "child"), channels: ["list"] };
  expect((await thread.saver.getDeltaChannelHistory(child)).list?.writes).toEqual([]);
  await thread.expectSame();
});
