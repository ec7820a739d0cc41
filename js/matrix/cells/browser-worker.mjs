// What runs in a browser's worker: the kit, the first use, and an agent, on OPFS or in memory.

import { Annotation, Command, END, interrupt, START, StateGraph } from "@langchain/langgraph/web";
import sqlite3InitModule from "@sqlite.org/sqlite-wasm";

import { SqliteWasmSaver } from "../../dist/sqlite-wasm.js";
import { runKit } from "../kit.mjs";

const TASKS = {
  async kit(store) {
    const sqlite3 = await sqlite3InitModule();
    return runKit({
      name: `sqlite-wasm, ${store}`,
      open: () => SqliteWasmSaver.open(opened(sqlite3, store, "kit.db", true)),
      close: (saver) => saver.close(),
    });
  },

  async cold(store) {
    const sqlite3 = await sqlite3InitModule();
    const saver = await SqliteWasmSaver.open(opened(sqlite3, store, "cold.db", true));
    const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
    saver.close();
    return { found: tuple !== undefined };
  },

  /** Runs an agent up to its question, or answers the one that an earlier page was asked. */
  async agent(store, answer) {
    const sqlite3 = await sqlite3InitModule();
    const db = opened(sqlite3, store, "agent.db", answer === undefined);
    const checkpointer = await SqliteWasmSaver.open(db);
    const thread = { configurable: { thread_id: "agent" } };
    const input = answer === undefined ? { notes: ["hello"] } : new Command({ resume: answer });
    const { notes } = await agent(checkpointer).invoke(input, thread);
    checkpointer.close();
    return { notes };
  },
};

function agent(checkpointer) {
  const State = Annotation.Root({
    notes: Annotation({ reducer: (left, right) => left.concat(right), default: () => [] }),
  });
  return new StateGraph(State)
    .addNode("ask", (_, config) => ({ notes: [`hello, ${interrupt("who?", config)}`] }))
    .addEdge(START, "ask")
    .addEdge("ask", END)
    .compile({ checkpointer });
}

function opened(sqlite3, store, name, empty) {
  if (store === "memory") return new sqlite3.oo1.DB();
  const db = new sqlite3.oo1.OpfsDb(`/${name}`);
  if (empty) db.exec(DROPS);
  return db;
}

const DROPS = ["format", "threads", "checkpoints", "writes", "chunks", "kit"].reduce(
  (text, table) => `${text}DROP TABLE IF EXISTS lg_${table};`,
  "DROP VIEW IF EXISTS lg_history;",
);

self.onmessage = async ({ data: [task, ...rest] }) => {
  try {
    self.postMessage({ answer: await TASKS[task](...rest) });
  } catch (thrown) {
    self.postMessage({ failure: String(thrown?.stack ?? thrown) });
  }
};
