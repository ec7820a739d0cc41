// Real graphs end in the same state, with the same history, on this saver and on LangGraph's own.

import type { RunnableConfig } from "@langchain/core/runnables";
import {
  Annotation,
  type BaseCheckpointSaver,
  Command,
  DeltaChannel,
  END,
  interrupt,
  Send,
  START,
  StateGraph,
  type StateSnapshot,
} from "@langchain/langgraph";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";

import { SqliteSaver } from "../../src/entries/sqlite.js";

type Durability = "sync" | "async" | "exit";

/** The part of a compiled graph that a scenario uses. */
interface App {
  invoke(input: unknown, config: RunnableConfig & { durability?: Durability }): Promise<unknown>;
  updateState(config: RunnableConfig, values: unknown, asNode?: string): Promise<RunnableConfig>;
  getState(config: RunnableConfig, options?: { subgraphs: boolean }): Promise<StateSnapshot>;
  getStateHistory(config: RunnableConfig): AsyncIterable<StateSnapshot>;
}

type Scenario = (checkpointer: BaseCheckpointSaver, thread: RunnableConfig) => Promise<App>;

const State = Annotation.Root({
  xs: Annotation<string[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
});

async function history(app: App, thread: RunnableConfig): Promise<StateSnapshot[]> {
  const states: StateSnapshot[] = [];
  for await (const state of app.getStateHistory(thread)) states.push(state);
  return states;
}

function linear(checkpointer: BaseCheckpointSaver): App {
  return new StateGraph(State)
    .addNode("a", () => ({ xs: ["a"] }))
    .addNode("b", () => ({ xs: ["b"] }))
    .addEdge(START, "a")
    .addEdge("a", "b")
    .addEdge("b", END)
    .compile({ checkpointer });
}

function asking(checkpointer?: BaseCheckpointSaver) {
  const builder = new StateGraph(State)
    .addNode("ask", () => {
      const name = interrupt({ question: "who?" });
      const reason = interrupt({ question: "why?", name });
      return { xs: [`${name}: ${reason}`] };
    })
    .addNode("beside", () => ({ xs: ["beside"] }))
    .addEdge(START, "ask")
    .addEdge(START, "beside")
    .addEdge("ask", END)
    .addEdge("beside", END);
  return builder.compile(checkpointer === undefined ? {} : { checkpointer });
}

const withDurability = (durability: Durability): Scenario => {
  return async (checkpointer, thread) => {
    const app = linear(checkpointer);
    await app.invoke({ xs: ["in"] }, { ...thread, durability });
    await app.invoke({ xs: ["more"] }, { ...thread, durability });
    return app;
  };
};

const scenarios: Record<string, Scenario> = {
  durability_sync: withDurability("sync"),
  durability_async: withDurability("async"),
  durability_exit: withDurability("exit"),

  async two_interrupts_in_one_node(checkpointer, thread) {
    const app: App = asking(checkpointer);
    await app.invoke({ xs: ["in"] }, thread);
    await app.invoke(new Command({ resume: "Ana" }), thread);
    await app.invoke(new Command({ resume: "because" }), thread);
    return app;
  },

  async an_interrupt_left_open(checkpointer, thread) {
    const app: App = asking(checkpointer);
    await app.invoke({ xs: ["in"] }, { ...thread, durability: "exit" });
    await app.invoke(new Command({ resume: "Ana" }), { ...thread, durability: "exit" });
    return app;
  },

  async forks_and_time_travel(checkpointer, thread) {
    const app = linear(checkpointer);
    await app.invoke({ xs: ["in"] }, thread);
    const early = (await history(app, thread)).find(({ next }) => next.includes("b"));
    if (early === undefined) throw new TypeError("no checkpoint before b");
    const forked = await app.updateState(early.config, { xs: ["FORK"] }, "a");
    await app.invoke(null, forked);
    await app.invoke(null, early.config);
    await app.updateState(early.config, null, "__copy__");
    await app.invoke(null, thread);
    return app;
  },

  async a_subgraph_that_asks(checkpointer, thread) {
    const app: App = new StateGraph(State)
      .addNode("child", asking())
      .addNode("after", () => ({ xs: ["after"] }))
      .addEdge(START, "child")
      .addEdge("child", "after")
      .addEdge("after", END)
      .compile({ checkpointer });
    await app.invoke({ xs: ["in"] }, thread);
    expect((await app.getState(thread, { subgraphs: true })).tasks).toHaveLength(1);
    await app.invoke(new Command({ resume: "Ana" }), thread);
    await app.invoke(new Command({ resume: "because" }), thread);
    return app;
  },

  async sends_to_many_tasks(checkpointer, thread) {
    const app: App = new StateGraph(State)
      .addNode("plan", () => ({ xs: ["plan"] }))
      .addNode("work", ({ xs }) => ({ xs: [`did ${xs.join()}`] }))
      .addEdge(START, "plan")
      .addConditionalEdges("plan", () => {
        return Array.from({ length: 9 }, (_, index) => new Send("work", { xs: [`part ${index}`] }));
      })
      .addEdge("work", END)
      .compile({ checkpointer });
    await app.invoke({ xs: ["in"] }, thread);
    return app;
  },

  async delta_channels(checkpointer, thread) {
    const channel = () =>
      new DeltaChannel<string[], string[]>((state, updates) => state.concat(...updates), {
        snapshotFrequency: 3,
        initialValueFactory: () => [],
      });
    const app: App = new StateGraph(Annotation.Root({ xs: channel }))
      .addNode("a", () => ({ xs: ["a"] }))
      .addNode("b", () => ({ xs: ["b"] }))
      .addEdge(START, "a")
      .addEdge("a", "b")
      .addEdge("b", END)
      .compile({ checkpointer });
    for (const turn of ["one", "two", "three", "four"]) await app.invoke({ xs: [turn] }, thread);
    return app;
  },

  async a_node_that_fails_once(checkpointer, thread) {
    let failures = 0;
    const app: App = new StateGraph(State)
      .addNode("fragile", () => {
        failures += 1;
        if (failures === 1) throw new RangeError("not yet");
        return { xs: ["mended"] };
      })
      .addNode("beside", () => ({ xs: ["beside"] }))
      .addEdge(START, "fragile")
      .addEdge(START, "beside")
      .addEdge("fragile", END)
      .addEdge("beside", END)
      .compile({ checkpointer });
    await expect(app.invoke({ xs: ["in"] }, thread)).rejects.toThrow("not yet");
    expect((await app.getState(thread)).tasks.some(({ error }) => error !== undefined)).toBe(true);
    await app.invoke(null, thread);
    return app;
  },
};

/**
 * Replaces ids and times by the order of their first appearance, since they differ between runs.
 */
function comparable(value: unknown): unknown {
  const seen = new Map<string, string>();
  const id = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}/g;
  const text = JSON.stringify(value)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "time")
    .replace(id, (found) => {
      const name = seen.get(found) ?? `id-${seen.size}`;
      seen.set(found, name);
      return name;
    });
  return JSON.parse(text);
}

async function trace(saver: BaseCheckpointSaver, scenario: Scenario) {
  const thread = { configurable: { thread_id: "thread" } };
  const app = await scenario(saver, thread);
  const state = await app.getState(thread, { subgraphs: true });
  return comparable([state, await history(app, thread)]);
}

test.each(Object.entries(scenarios))("%s_as_with_the_stock_saver", async (_, scenario) => {
  const ours = SqliteSaver.fromConnString(":memory:");
  const stock = StockSaver.fromConnString(":memory:");
  const expected = await trace(stock, scenario);
  expect(await trace(ours, scenario)).toEqual(expected);
  expect(Array.isArray(expected) && expected[1].length).toBeGreaterThan(0);
  ours.close();
  stock.db.close();
});

test("two_runs_on_one_thread_leave_two_whole_branches", async () => {
  const saver = SqliteSaver.fromConnString(":memory:");
  const app = linear(saver);
  const thread = { configurable: { thread_id: "thread" } };
  await app.invoke({ xs: ["in"] }, thread);
  const runs = ["left", "right"].map((name) => app.invoke({ xs: [name] }, thread));
  const states = ["left", "right"].map((name) => ({ xs: ["in", "a", "b", name, "a", "b"] }));
  expect(await Promise.all(runs)).toEqual(states);
  const ends = (await history(app, thread)).filter(({ next }) => next.length === 0);
  expect(ends.map(({ values }) => values)).toEqual(
    expect.arrayContaining([...states, { xs: ["in", "a", "b"] }]),
  );
  saver.close();
});
