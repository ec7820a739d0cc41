// `relay.mjs PATH`: JavaScript's half of python/tests/test_relay.py. It reads a command a line, and
// answers each with a line.

import { createInterface } from "node:readline";
import {
  AIMessage,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import {
  Annotation,
  Command,
  DeltaChannel,
  END,
  interrupt,
  messagesStateReducer,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { SqliteSaver } from "../../dist/entries/sqlite.js";

const LANGUAGE = "javascript";
const THREAD = { thread_id: "relay", checkpoint_ns: "" };

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
  facts: Annotation({ reducer: (left, right) => ({ ...left, ...right }), default: () => ({}) }),
  at: Annotation,
  data: Annotation,
  answer: Annotation,
});

/** Messages of a kind that the turn decides. */
function said(turn) {
  const id = (part) => `${LANGUAGE}-${turn}-${part}`;
  const call = { name: "look", args: { turn, deep: [{ a: null }] }, id: id("call") };
  switch (turn % 4) {
    case 0:
      return [
        new AIMessage({
          content: [{ type: "text", text: "I look." }],
          id: id("a"),
          tool_calls: [{ ...call, type: "tool_call" }],
          usage_metadata: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
        }),
        new ToolMessage({
          content: "seen",
          id: id("b"),
          tool_call_id: id("call"),
          status: "error",
          artifact: { rows: [[1, 2.5]] },
        }),
      ];
    case 1:
      return [
        new SystemMessage({ content: "Be brief.", id: id("a") }),
        new ChatMessage({ content: "hm", role: "critic", id: id("b") }),
      ];
    case 2:
      return [new FunctionMessage({ content: "4", name: "sum", id: id("a") })];
    default:
      return [
        new RemoveMessage({ id: `question-${turn}` }),
        new HumanMessage({ content: "again", name: "Ada", id: id("a") }),
      ];
  }
}

function model({ log }) {
  const turn = log.length;
  return {
    messages: said(turn),
    seen: new Set([`${LANGUAGE} ${turn}`]),
    log: [`${LANGUAGE} ${turn}`],
    facts: { [`${LANGUAGE} ${turn}`]: [turn, 2.5, null, true, { text: "\u{1f600}" }] },
    at: new Date(Date.UTC(2026, 10, 29, 1, 2, turn, 345)),
    data: new Uint8Array([turn, 0, 255]),
  };
}

function ask({ log }) {
  return { answer: interrupt({ question: "go on?", at: log.length }) };
}

/** A state as both languages show it. */
function shown({ values, next }) {
  const { messages = [], seen = [], log = [], facts = {}, at, data, answer } = values;
  return {
    messages: messages.map(shownMessage),
    seen: [...seen].sort(),
    log,
    facts,
    at: at?.toISOString() ?? null,
    data: data === undefined ? null : [...data],
    answer: answer ?? null,
    next: [...next],
  };
}

function shownMessage(message) {
  const calls = message.tool_calls?.map(({ name, args, id }) => ({ name, args, id }));
  const type = message.getType();
  return {
    // Python's name of a `ChatMessage`.
    type: type === "generic" ? "chat" : type,
    id: message.id,
    content: message.content,
    name: message.name ?? null,
    tool_calls: calls ?? [],
    tool_call_id: message.tool_call_id ?? null,
    status: message.status ?? null,
    artifact: message.artifact ?? null,
    role: message.role ?? null,
    total_tokens: message.usage_metadata?.total_tokens ?? null,
  };
}

const saver = SqliteSaver.fromConnString(process.argv[2]);
const app = new StateGraph(State)
  .addNode("model", model)
  .addNode("ask", ask)
  .addEdge(START, "model")
  .addConditionalEdges("model", ({ log }) => (log.length % 5 === 0 ? "ask" : END), ["ask", END])
  .addEdge("ask", END)
  .compile({ checkpointer: saver });

async function run({ turn, resume, checkpoint }) {
  const thread = { configurable: THREAD };
  if (turn !== undefined) {
    const id = `question-${turn}`;
    await app.invoke({ messages: [new HumanMessage({ content: `turn ${turn}`, id })] }, thread);
  } else if (resume !== undefined) {
    await app.invoke(new Command({ resume }), thread);
  }
  const at = checkpoint === undefined ? {} : { checkpoint_id: checkpoint };
  return shown(await app.getState({ configurable: { ...THREAD, ...at } }));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
}
saver.close();
