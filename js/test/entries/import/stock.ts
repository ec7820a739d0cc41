// Databases that LangGraph's own saver has made, and what it reads from them.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import {
  Annotation,
  Command,
  END,
  interrupt,
  messagesStateReducer,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import type {
  BaseCheckpointSaver,
  Checkpoint,
  CheckpointTuple,
  PendingWrite,
} from "@langchain/langgraph-checkpoint";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { all, checkpoint, config, metadata } from "../../support/checkpoints.js";

const State = Annotation.Root({
  messages: Annotation<BaseMessage[]>({ reducer: messagesStateReducer, default: () => [] }),
  notes: Annotation<unknown[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
});

const child = new StateGraph(State)
  .addNode("ask", ({ messages }) => ({
    notes: [`child ${messages.length}: ${interrupt("which?")}`],
  }))
  .addEdge(START, "ask")
  .addEdge("ask", END)
  .compile();

/** A graph with parallel tasks, sends, and a subgraph that interrupts. */
export function graphOn(checkpointer: BaseCheckpointSaver) {
  return new StateGraph(State)
    .addNode("model", ({ messages }) => ({
      messages: [
        new AIMessage({ content: `answer ${messages.length}`, id: `a${messages.length}` }),
      ],
      notes: [new Set(["model"]), undefined],
    }))
    .addNode("work", ({ notes }) => ({ notes: [`work after ${notes.length}`] }))
    .addNode("child", child)
    .addEdge(START, "model")
    .addConditionalEdges("model", ({ messages }) => [
      new Send("work", { messages, notes: [] }),
      new Send("work", { messages, notes: ["\u00e9\u2028\ud83d\ude00"] }),
    ])
    .addEdge("work", "child")
    .addEdge("child", END)
    .compile({ checkpointer });
}

/** Says something on a thread. The run ends at the child's interrupt. */
export function say(saver: BaseCheckpointSaver, thread: string, text: string) {
  const messages = [new HumanMessage({ content: text, id: `h-${text}` })];
  return graphOn(saver).invoke({ messages }, { configurable: { thread_id: thread } });
}

/** Answers a thread's interrupt. */
export function answer(saver: BaseCheckpointSaver, thread: string, text: string) {
  return graphOn(saver).invoke(new Command({ resume: text }), {
    configurable: { thread_id: thread },
  });
}

/** Stores threads that are idle, that wait, and that were put by hand. */
export async function fill(saver: BaseCheckpointSaver): Promise<void> {
  await say(saver, "idle", "one");
  await answer(saver, "idle", "first");
  await say(saver, "idle", "two");
  await answer(saver, "idle", "second");
  await say(saver, "waiting", "one");
  await putByHand(saver);
}

/** Makes a file with these threads. */
export async function makeStock(path: string): Promise<void> {
  const saver = StockSaver.fromConnString(path);
  await fill(saver);
  saver.db.pragma("wal_checkpoint(TRUNCATE)");
  saver.db.close();
}

/** Values and forks that no graph makes, and writes without a checkpoint. */
async function putByHand(saver: BaseCheckpointSaver): Promise<void> {
  const odd = { 'a"b\u00e9': [1, -0, 1e300], __proto__x: null, big: "x".repeat(100_000) };
  const put = (at: ReturnType<typeof config>, stored: Checkpoint, more = {}) => {
    return saver.put(at, stored, metadata(1, more), stored.channel_versions);
  };
  await put(config("odd"), checkpoint(1, odd), { 'k"': ["\u00e9"] });
  const fork = { 'a"b\u00e9': "fork", map: new Map([[1, new Uint8Array([255, 0])]]) };
  const first = config("odd", checkpoint(1).id);
  await put(first, checkpoint(2, fork));
  await put(first, checkpoint(3, { ...fork, more: undefined }));
  const writes: PendingWrite[] = [
    ["a", "first"],
    ["__interrupt__", { value: "?" }],
    ["a", "first"],
  ];
  await saver.putWrites(first, writes, "task");
  await saver.putWrites(first, [["__resume__", ["!"]]], "task");
  await saver.putWrites(config("odd", checkpoint(9).id), [["a", "early"]], "task");
}

/** What a saver reads of every thread, with the writes in one order. */
export async function read(saver: BaseCheckpointSaver): Promise<CheckpointTuple[]> {
  const tuples = await all(saver.list({}));
  const place = ({ config }: CheckpointTuple) => JSON.stringify(config.configurable);
  tuples.sort((one, other) => (place(one) < place(other) ? -1 : 1));
  return tuples.map(({ parentConfig, ...tuple }) => ({
    ...tuple,
    // The stock saver has the key without a parent too.
    ...(parentConfig !== undefined && { parentConfig }),
    pendingWrites: [...(tuple.pendingWrites ?? [])].sort((one, other) => {
      return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
    }),
  }));
}

/** What LangGraph's own saver reads from a file. */
export async function stockTuples(path: string): Promise<CheckpointTuple[]> {
  const saver = StockSaver.fromConnString(path);
  const tuples = await read(saver);
  saver.db.close();
  return tuples;
}

/** What this package's saver reads from a file. */
export async function ownTuples(path: string): Promise<CheckpointTuple[]> {
  const saver = SqliteSaver.fromConnString(path);
  const tuples = await read(saver);
  saver.close();
  return tuples;
}

/** The hash of a file. */
export function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
