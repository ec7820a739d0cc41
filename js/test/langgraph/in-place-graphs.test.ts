// Graphs whose nodes change their state in place, with LangGraph's default durability. Each
// checkpoint has the state of its own time, as with LangGraph's MemorySaver.

import { Annotation, END, MemorySaver, START, StateGraph } from "@langchain/langgraph";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { all } from "../support/checkpoints.js";

interface Item {
  text: string;
  marks: number[];
}

const State = Annotation.Root({
  items: Annotation<Item[]>,
  count: Annotation<{ n: number }>,
});
type Values = typeof State.State;

/** A chain of nodes. Each changes the existing state, and adds to it. */
function chain(saver: BaseCheckpointSaver, nodes: number, later: boolean) {
  const node = (n: number) => async (state: Values) => {
    if (later) await new Promise((resolve) => setImmediate(resolve));
    for (const item of state.items) item.marks.push(n);
    state.items.push({ text: `item ${n}`, marks: [] });
    state.count.n += 1;
    return { items: state.items };
  };
  const names = Array.from({ length: nodes }, (_, n) => `node${n}`);
  // The types cannot know the names of nodes that are added in a loop.
  const graph = new StateGraph(State) as unknown as {
    addNode(name: string, run: unknown): void;
    addEdge(from: string, to: string): void;
    compile(options: object): { invoke(input: object, config: object): Promise<Values> };
  };
  for (const [n, name] of names.entries()) graph.addNode(name, node(n));
  for (const [n, name] of names.entries()) graph.addEdge(names[n - 1] ?? START, name);
  graph.addEdge(names[nodes - 1] ?? START, END);
  return graph.compile({ checkpointer: saver });
}

/** The state of each checkpoint after two runs on several threads at once. */
async function states(saver: BaseCheckpointSaver, later: boolean, threads: number) {
  const app = chain(saver, 5, later);
  const run = async (thread: string) => {
    const config = { configurable: { thread_id: thread } };
    const input = () => ({ items: [{ text: "input", marks: [] }], count: { n: 0 } });
    await app.invoke(input(), config);
    await app.invoke(input(), config);
    const tuples = await all(saver.list(config));
    return tuples.map(({ checkpoint, pendingWrites, metadata }) => ({
      step: metadata?.step,
      items: checkpoint.channel_values.items,
      count: checkpoint.channel_values.count,
      writes: pendingWrites?.map(([, channel, value]) => [channel, value]),
    }));
  };
  return Promise.all(Array.from({ length: threads }, (_, thread) => run(`t${thread}`)));
}

const OPTIONS = [
  {},
  { cacheBytes: 0 },
  { synchronous: "full" },
  { cacheBytes: 1_000_000, onCall: () => {} },
] as const;
const CASES = OPTIONS.flatMap((options) => {
  return [false, true].flatMap((later) => [1, 8].map((threads) => ({ options, later, threads })));
});

test.each(CASES)(
  "a_checkpoint_has_the_state_of_its_time %j",
  async ({ options, later, threads }) => {
    const db = new Database(":memory:");
    onTestFinished(() => {
      db.close();
    });
    const saver = new SqliteSaver(db, undefined, options);
    const expected = await states(new MemorySaver(), later, threads);
    expect(await states(saver, later, threads)).toEqual(expected);
  },
);
