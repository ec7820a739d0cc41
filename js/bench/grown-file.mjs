// Reproduces, to scale, a file of LangGraph's own SqliteSaver that grew to 135 GB with a dozen
// threads: chats of hundreds of turns, with long tool outputs, images in base64 and a subgraph.
//
//   node bench/grown-file.mjs [threads] [turns]
//
// A thread grows with the square of its turns: 12 threads of 240 turns have 135 GB. The default,
// 3 threads of 50 turns, has 1.4 GB. Prints the bytes of both savers for the same calls, the time
// to import the file, and what a prune frees.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";
import Database from "better-sqlite3";
import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";

import { messageOf } from "./data.mjs";
import { timed } from "./sampling.mjs";

const PROGRAM = fileURLToPath(new URL("../dist/entries/cli.js", import.meta.url));
const TOOL_OUTPUT_BYTES = 20_000;
const IMAGE_BYTES = 60_000;
/** Every so many turns the user sends an image. */
const TURNS_OF_IMAGE = 4;

const [threads = 3, turns = 50] = process.argv.slice(2).map(Number);
const names = Array.from({ length: threads }, (_, thread) => `chat-${thread}`);

/** A text of this length, the same for the same seed, in which nothing repeats. */
function noise(seed, length) {
  let [text, state] = ["", seed];
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

function question(thread, turn) {
  const { id, content } = messageOf(thread, turn * 4);
  if (turn % TURNS_OF_IMAGE > 0) return new HumanMessage({ id, content });
  const url = `data:image/png;base64,${noise(thread * 1000 + turn, IMAGE_BYTES)}`;
  const image = { type: "image_url", image_url: { url } };
  return new HumanMessage({ id, content: [{ type: "text", text: content }, image] });
}

/** An agent whose tools are a subgraph. Its state has the chat too, as one of its own. */
function agent(checkpointer) {
  const search = ({ messages }) => {
    const call = messages.at(-1).tool_calls[0].id;
    const content = noise(messages.length, TOOL_OUTPUT_BYTES);
    return { messages: [new ToolMessage({ id: `tool-${call}`, tool_call_id: call, content })] };
  };
  const tools = new StateGraph(MessagesAnnotation)
    .addNode("search", search)
    .addEdge(START, "search")
    .addEdge("search", END)
    .compile();
  const model = ({ messages }) => {
    const isAnswer = messages.at(-1) instanceof ToolMessage;
    const [id, args] = [`ai-${messages.length}`, { query: "flights" }];
    const tool_calls = isAnswer
      ? []
      : [{ type: "tool_call", id: `call-${id}`, name: "search", args }];
    return { messages: [new AIMessage({ id, content: isAnswer ? "found" : "", tool_calls })] };
  };
  const next = ({ messages }) => (messages.at(-1).tool_calls.length > 0 ? "tools" : END);
  return new StateGraph(MessagesAnnotation)
    .addNode("model", model)
    .addNode("tools", tools)
    .addEdge(START, "model")
    .addConditionalEdges("model", next, ["tools", END])
    .addEdge("tools", "model")
    .compile({ checkpointer });
}

async function converse(checkpointer) {
  const app = agent(checkpointer);
  for (const [thread, thread_id] of names.entries()) {
    for (let turn = 0; turn < turns; turn += 1) {
      await app.invoke({ messages: [question(thread, turn)] }, { configurable: { thread_id } });
    }
  }
}

/** Moves a file's log into it, and returns its megabytes. */
function megabytes(path) {
  const db = new Database(path);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  return statSync(path).size / 1e6;
}

const shown = (value) => value.toFixed(value < 100 ? 2 : 0);

const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-bench-"));
const [stockPath, ownPath, target] = ["stock.db", "own.db", "imported.db"].map((name) => {
  return join(folder, name);
});
try {
  const stock = StockSaver.fromConnString(stockPath);
  const stockMs = await timed(() => converse(stock));
  stock.db.close();
  const own = SqliteSaver.fromConnString(ownPath);
  const ownMs = await timed(() => converse(own));
  own.close();
  const size = megabytes(stockPath);
  console.log(`${threads} threads of ${turns} turns`);
  console.log(`LangGraph's saver: ${shown(size)} MB, written in ${shown(stockMs / 1e3)} s`);
  console.log(`ours:              ${shown(megabytes(ownPath))} MB, in ${shown(ownMs / 1e3)} s`);

  const importMs = await timed(() => {
    const args = [PROGRAM, "import", stockPath, target, "--json"];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`the import ended with ${status}: ${stderr}`);
  });
  const speed = size / (importMs / 1e3);
  const took = `${shown(importMs / 1e3)} s, ${shown(speed)} MB/s`;
  console.log(`imported:          ${shown(megabytes(target))} MB, in ${took}`);

  const saver = SqliteSaver.fromConnString(target);
  let report;
  const pruneMs = await timed(async () => {
    report = await saver.prune(names);
  });
  const { chunkBytes, recordBytes } = await saver.stats();
  saver.close();
  const { checkpoints, chunks } = report;
  const left = shown((chunkBytes + recordBytes) / 1e6);
  console.log(
    `pruned in ${shown(pruneMs)} ms: ${checkpoints} checkpoints and ${chunks} chunks went`,
  );
  console.log(`${left} MB are left, the messages of the latest states`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
