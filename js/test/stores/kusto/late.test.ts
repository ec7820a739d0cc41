// A store that shows rows late: a saver always reads what it has acknowledged, so no turn is lost.

import { HumanMessage } from "@langchain/core/messages";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";

import type { KustoSaver } from "../../../src/entries/kusto.js";
import { all } from "../../support/checkpoints.js";
import { describeLocal, newTable } from "./support/target.js";
import { VirtualClock } from "./support/virtual-clock.js";

/** Answers with the number of messages it saw. */
function app(checkpointer: KustoSaver) {
  return new StateGraph(MessagesAnnotation)
    .addNode("answer", ({ messages }) => ({ messages: [`answer ${messages.length}`] }))
    .addEdge("__start__", "answer")
    .compile({ checkpointer });
}

const thread = { configurable: { thread_id: "chat" } };

describeLocal("a_saver_whose_store_shows_rows_late", () => {
  test("keeps_the_turn_before_however_late_it_is_shown", async () => {
    const table = await newTable();
    const clock = new VirtualClock();
    const saver = await table.open({ cacheBytes: 0 }, { clock });
    await app(saver).invoke({ messages: [new HumanMessage("one")] }, thread);
    await table.local("POST", "faults", { faults: [{ kind: "delayed", on: "rows" }] });
    await app(saver).invoke({ messages: [new HumanMessage("two")] }, thread);
    const second = await saver.getTuple(thread);
    for (const seconds of [11, 25, 3600]) {
      await clock.sleep(seconds * 1000);
      expect((await saver.getTuple(thread))?.checkpoint.id).toBe(second?.checkpoint.id);
      expect((await all(saver.list(thread)))[0]?.checkpoint.id).toBe(second?.checkpoint.id);
    }
    const { messages } = await app(saver).invoke({ messages: [new HumanMessage("three")] }, thread);
    const said = ["one", "answer 1", "two", "answer 3", "three", "answer 5"];
    expect(messages.map(({ content }) => content)).toEqual(said);
    await table.local("DELETE", "faults");
    await table.local("POST", "release");
    const other = await app(await table.open()).getState(thread);
    expect(other.values.messages.map(({ content }: HumanMessage) => content)).toEqual(said);
  });

  test("reads_no_part_of_a_checkpoint_that_another_has_put", async () => {
    const table = await newTable();
    const faults = [{ kind: "torn", on: "rows", rows: 1 }];
    const put = await table.open();
    await table.local("POST", "faults", { faults });
    const state = { messages: [new HumanMessage("word ".repeat(4000))] };
    await app(put).invoke(state, thread);
    await table.local("DELETE", "faults");
    const other = await table.open({ deadline: 4 }, { clock: new VirtualClock() });
    const read = await other.getTuple(thread).catch((thrown: unknown) => thrown);
    if (read !== undefined) {
      expect(read).toMatchObject({ name: "UnavailableError", code: "store-stale" });
    }
    await table.local("POST", "release");
    expect((await other.getTuple(thread))?.checkpoint.channel_values.messages).toHaveLength(2);
  });
});
