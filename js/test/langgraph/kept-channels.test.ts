// A thread of an older LangGraph, whose checkpoints did not hold their own tasks. Its queued tasks
// stay queued whatever is done to its checkpoints, as with LangGraph's own saver.

import {
  Annotation,
  type BaseCheckpointSaver,
  END,
  MemorySaver,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { all } from "../support/checkpoints.js";

const TASKS = "__pregel_tasks";

const State = Annotation.Root({
  xs: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
  seen: Annotation<number[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
});

/** Sends two tasks to `w`, stops before it, and ends with `z`. */
function graph(checkpointer: BaseCheckpointSaver) {
  return new StateGraph(State)
    .addNode("a", () => ({ xs: ["a"] }))
    .addNode("w", ({ n }: { n: number }) => ({ xs: [`w${n}`], seen: [n] }))
    .addNode("z", () => ({ xs: ["z"] }))
    .addEdge(START, "a")
    .addConditionalEdges("a", () => [2, 1].map((n) => new Send("w", { n })), ["w"])
    .addEdge("w", "z")
    .addEdge("z", END)
    .compile({ checkpointer, interruptBefore: ["w"] });
}

const thread = { configurable: { thread_id: "thread" } };

/** Puts the thread of a stopped graph in the form of older releases. */
async function putOld(saver: BaseCheckpointSaver): Promise<void> {
  const memory = new MemorySaver();
  await graph(memory).invoke({ xs: ["in"] }, thread);
  const tuples = await all(memory.list(thread));
  for (const { checkpoint, metadata, parentConfig, pendingWrites } of tuples.toReversed()) {
    const { [TASKS]: sends = [], ...values } = checkpoint.channel_values;
    const { [TASKS]: _, ...versions } = checkpoint.channel_versions;
    const old = { ...checkpoint, v: 3, channel_values: values, channel_versions: versions };
    for (const [at, send] of (sends as Send[]).entries()) {
      await saver.putWrites(parentConfig ?? thread, [[TASKS, send]], `send-${at}`);
    }
    const config = parentConfig ?? { configurable: { ...thread.configurable, checkpoint_ns: "" } };
    const put = await saver.put(config, old, metadata as never, versions);
    for (const [task, channel, value] of pendingWrites ?? []) {
      if (channel !== TASKS) await saver.putWrites(put, [[channel, value]], `${task}${channel}`);
    }
  }
}

const forks = { "an update without values": undefined, "a copy": "__copy__" };

describe.each(Object.entries(forks))("after %s of an old thread", (_, asNode) => {
  async function resumed(saver: BaseCheckpointSaver): Promise<unknown> {
    await putOld(saver);
    const compiled = graph(saver);
    const forked = await compiled.updateState(thread, null, asNode);
    const { xs, seen } = await compiled.invoke(null, forked);
    return [xs, seen];
  }

  test("its_queued_sends_are_run", async () => {
    const own = SqliteSaver.fromConnString(":memory:");
    const given = await resumed(own);
    expect(given).toEqual(await resumed(StockSaver.fromConnString(":memory:")));
    expect(given).toEqual([
      ["in", "a", "w2", "w1", "z"],
      [2, 1],
    ]);
    own.close();
  });
});
