// The calls of a thread are sent together if they are made together, and in order.

import { setImmediate } from "node:timers/promises";

import { HumanMessage } from "@langchain/core/messages";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";

import type { KustoSaver } from "../../../src/entries/kusto.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { Network } from "./support/network.js";
import { describeKusto, describeLocal, newTable } from "./support/target.js";

const STEPS = 10;

/** A graph whose node runs `STEPS` times, each time a superstep with a message. */
function app(checkpointer: KustoSaver) {
  return new StateGraph(MessagesAnnotation)
    .addNode("step", ({ messages }) => ({
      messages: [`${messages.length}: ${"word ".repeat(99)}`],
    }))
    .addEdge("__start__", "step")
    .addConditionalEdges("step", ({ messages }) => (messages.length > STEPS ? "__end__" : "step"))
    .compile({ checkpointer });
}

function put(saver: KustoSaver, number: number, thread = "t") {
  const next = checkpoint(number, { a: number });
  const parent = config(thread, number > 1 ? idOf(number - 1) : undefined);
  return saver.put(parent, next, metadata(number), next.channel_versions);
}

describeKusto("a_superstep_of_a_graph", () => {
  test.each(["async", "sync"] as const)(
    "takes_two_requests_with_durability_%s",
    async (durability) => {
      const table = await newTable();
      const network = new Network();
      const saver = await table.open({ fetch: network.fetch });
      const thread = { configurable: { thread_id: "chat" }, durability, recursionLimit: 50 };
      const { messages } = await app(saver).invoke({ messages: [new HumanMessage("go")] }, thread);
      expect(messages).toHaveLength(STEPS + 1);
      const checkpoints = STEPS + 2;
      // A run begins with a read.
      expect(network.sent.length).toBeLessThanOrEqual(1 + 2 * checkpoints);
      const state = await app(await table.open()).getState(thread);
      expect(state.values.messages).toEqual(messages);
      expect(await all(saver.list(thread))).toHaveLength(checkpoints);
    },
  );
});

describeLocal("the_messages_of_a_graph", () => {
  test("are_sent_once", async () => {
    const table = await newTable();
    const saver = await table.open();
    const thread = { configurable: { thread_id: "chat" }, recursionLimit: 50 };
    await app(saver).invoke({ messages: [new HumanMessage("word ".repeat(99))] }, thread);
    const chunks = "CheckpointLog | where ['kind'] == 'chunk' | summarize copies = count() by hash";
    const copies = await table.run(chunks);
    expect(copies.length).toBeGreaterThan(STEPS);
    expect(copies.filter((row) => row.copies !== 1)).toEqual([]);
  });
});

describeKusto("calls_that_are_not_awaited", () => {
  test("take_effect_in_their_order", async () => {
    const saver = await (await newTable()).open({ cacheBytes: 0 });
    const first = put(saver, 1);
    const one = saver.getTuple(config("t"));
    const removed = saver.deleteThread("t");
    const none = saver.getTuple(config("t"));
    const second = put(saver, 2);
    const listed = all(saver.list(config("t")));
    const everything = all(saver.list({}));
    await Promise.all([first, removed, second]);
    expect((await one)?.checkpoint.id).toBe(idOf(1));
    expect(await none).toBeUndefined();
    for (const found of [await listed, await everything]) {
      expect(found.map(({ checkpoint: { id } }) => id)).toEqual([idOf(2)]);
    }
  });

  test.each(["getTuple", "list", "list of all threads"] as const)(
    "a_%s_that_is_slow_sees_nothing_of_a_later_deletion",
    async (read) => {
      const table = await newTable();
      await put(await table.open(), 1);
      let ingested: Promise<unknown> = Promise.resolve();
      // The first query is held back for many turns, and then until everything ingested in them is
      // there.
      const network = new Network(async (input, init) => {
        if (String(input).includes("/v1/rest/ingest/")) {
          const response = fetch(input, init);
          ingested = response;
          return response;
        }
        if (network.sent.length === 1) {
          for (let turn = 0; turn < 100; turn += 1) await setImmediate();
          await ingested;
        }
        return fetch(input, init);
      });
      const saver = await table.open({ fetch: network.fetch });
      const found = {
        getTuple: () => saver.getTuple(config("t")),
        list: () =>
          saver
            .list(config("t"))
            .next()
            .then(({ value }) => value),
        "list of all threads": () =>
          saver
            .list({})
            .next()
            .then(({ value }) => value),
      }[read]();
      const removed = saver.deleteThread("t");
      expect((await found)?.checkpoint.id).toBe(idOf(1));
      await removed;
      expect(await saver.getTuple(config("t"))).toBeUndefined();
    },
  );

  test("of_several_threads_do_not_wait_for_one_another", async () => {
    const table = await newTable();
    const network = new Network();
    const saver = await table.open({ fetch: network.fetch });
    await Promise.all(["a", "b", "c"].map((thread) => put(saver, 1, thread)));
    expect(network.ingests).toHaveLength(3);
  });

  test("fail_each_on_its_own", async () => {
    const saver = await (await newTable()).open();
    const good = put(saver, 1);
    const bad = saver.putWrites(config("t"), [["a", 1]], "task");
    await expect(bad).rejects.toMatchObject({ code: "missing-checkpoint-id" });
    await good;
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  });

  test("are_ended_before_a_saver_is_closed", async () => {
    const table = await newTable();
    const saver = await table.open();
    const putting = put(saver, 1);
    await saver.close();
    await putting;
    expect((await (await table.open()).getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  });
});
