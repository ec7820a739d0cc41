// The tasks of a browser's worker, on OPFS or in memory.

const TASKS = {
  async kit(store) {
    const { runKit } = await import("../kit.mjs");
    const open = await opener(store, "kit.db");
    return runKit({ name: "sqlite-wasm", open, close: (saver) => saver.close() });
  },

  /** The time to import the saver and SQLite and to get the first answer, on an empty store. */
  async cold(store) {
    const begin = performance.now();
    const open = await opener(store, "cold.db");
    const saver = await open();
    const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
    const ms = performance.now() - begin;
    saver.close();
    return { found: tuple !== undefined, ms };
  },

  async example(store) {
    const { runExample } = await import("./graph.mjs");
    const open = await opener(store, "example.db");
    const saver = await open();
    const notes = await runExample(saver);
    saver.close();
    return { notes };
  },

  /** Runs an agent up to its question, or answers the question of an earlier page. */
  async agent(store, answer) {
    const open = await opener(store, "agent.db", answer === undefined);
    const checkpointer = await open();
    const thread = { configurable: { thread_id: "agent" } };
    const app = await agent(checkpointer);
    if (answer !== undefined) await app.updateState(thread, { notes: [answer] });
    const { notes } = await app.invoke(answer === undefined ? { notes: [] } : null, thread);
    checkpointer.close();
    return { notes };
  },
};

async function agent(checkpointer) {
  const { Annotation, END, START, StateGraph } = await import("@langchain/langgraph/web");
  const State = Annotation.Root({
    notes: Annotation({ reducer: (left, right) => left.concat(right), default: () => [] }),
  });
  return (
    new StateGraph(State)
      .addNode("ask", () => ({ notes: ["who are you?"] }))
      .addNode("greet", ({ notes }) => ({ notes: [`hello, ${notes.at(-1)}`] }))
      .addEdge(START, "ask")
      .addEdge("ask", "greet")
      .addEdge("greet", END)
      // `interrupt()` cannot find its graph in browsers, which have no async local storage.
      .compile({ checkpointer, interruptBefore: ["greet"] })
  );
}

/** A function that opens a saver on a database, which is emptied first if `empty`. */
async function opener(store, name, empty = true) {
  const { default: sqlite3InitModule } = await import("@sqlite.org/sqlite-wasm");
  const { SqliteWasmSaver } = await import("../../dist/entries/sqlite-wasm.js");
  const sqlite3 = await sqlite3InitModule();
  return () => {
    if (store === "memory") return SqliteWasmSaver.open(new sqlite3.oo1.DB());
    const db = new sqlite3.oo1.OpfsDb(`/${name}`);
    if (empty) db.exec(DROPS);
    return SqliteWasmSaver.open(db);
  };
}

const DROPS = ["format", "threads", "deleted", "records", "chunks", "kit"].reduce(
  (text, table) => `${text}DROP TABLE IF EXISTS lg_${table};`,
  "DROP VIEW IF EXISTS lg_history; DROP VIEW IF EXISTS lg_checkpoints; " +
    "DROP VIEW IF EXISTS lg_writes;",
);

self.onmessage = async ({ data: [task, ...rest] }) => {
  try {
    self.postMessage({ answer: await TASKS[task](...rest) });
  } catch (thrown) {
    self.postMessage({ failure: String(thrown?.stack ?? thrown) });
  }
};
