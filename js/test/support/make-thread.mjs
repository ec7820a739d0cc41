// Writes tests/languages/thread-of-javascript.json: the rows of two threads that a graph in
// JavaScript has begun. `idle` has had four turns, and `interrupted` waits for an answer.

import { writeFileSync } from "node:fs";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import {
  Annotation,
  DeltaChannel,
  END,
  interrupt,
  messagesStateReducer,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { JsonPlusSerde } from "../../dist/entries/index.js";
import { SqliteSaver } from "../../dist/entries/sqlite.js";

const FILE = new URL("../../../tests/languages/thread-of-javascript.json", import.meta.url);

const serde = new JsonPlusSerde();

const State = Annotation.Root({
  messages: Annotation({ reducer: messagesStateReducer, default: () => [] }),
  seen: Annotation({
    reducer: (left, right) => new Set([...left, ...right]),
    default: () => new Set(),
  }),
  log: () =>
    new DeltaChannel((state, updates) => state.concat(...updates), {
      snapshotFrequency: 3,
      initialValueFactory: () => [],
    }),
  at: Annotation,
  approved: Annotation,
});

function model({ messages }) {
  const count = messages.length;
  return {
    messages: [new AIMessage({ content: `answer ${count}`, id: `a${count}` })],
    seen: new Set([`javascript ${count}`]),
    log: [`javascript ${count}`],
    at: new Date("2026-11-29T01:02:03.456Z"),
  };
}

function ask({ seen }) {
  return { approved: interrupt({ question: "go on?", seen }) === "yes" };
}

function stored(value) {
  const [kind, bytes] = serde.dumps(value);
  return [kind, Buffer.from(bytes).toString(kind === "json" ? "utf8" : "base64")];
}

/** The thread's checkpoints and their writes, oldest first. */
async function rowsOf(saver, thread) {
  const rows = [];
  for await (const found of saver.list(thread)) {
    const { channel_values, ...checkpoint } = found.checkpoint;
    rows.unshift({
      checkpoint,
      parent: found.parentConfig?.configurable?.checkpoint_id ?? null,
      metadata: found.metadata,
      values: Object.fromEntries(
        Object.entries(channel_values).map(([name, value]) => [name, stored(value)]),
      ),
      writes: found.pendingWrites.map(([task, channel, value]) => {
        return [task, channel, ...stored(value)];
      }),
    });
  }
  return rows;
}

/** Runs a graph, and gives the rows of its thread. */
async function begin(threadId, turns, asks) {
  const saver = SqliteSaver.fromConnString(":memory:");
  const thread = { configurable: { thread_id: threadId } };
  const builder = new StateGraph(State).addNode("model", model).addEdge(START, "model");
  if (asks) builder.addNode("ask", ask).addEdge("model", "ask").addEdge("ask", END);
  const graph = builder.compile({ checkpointer: saver });
  for (let turn = 0; turn < turns; turn += 1) {
    const message = new HumanMessage({ content: `hello ${turn}`, id: `h${turn}` });
    await graph.invoke({ messages: [message] }, thread);
  }
  const rows = await rowsOf(saver, thread);
  saver.close();
  return rows;
}

const threads = {
  idle: await begin("idle", 4, false),
  interrupted: await begin("interrupted", 1, true),
};
writeFileSync(FILE, `${JSON.stringify(threads, undefined, 1)}\n`);
