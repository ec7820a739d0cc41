// The tasks of a process in a runtime: process.mjs <task> <store>. Prints one line of JSON.

const [task, store] = globalThis.process.argv.slice(2);

const TASKS = {
  async kit() {
    const { runKit } = await import("../kit.mjs");
    const open = await opener();
    return runKit({ name: store, open, close: (saver) => saver.close() });
  },

  async example() {
    const { runExample } = await import("./graph.mjs");
    const open = await opener();
    return { notes: await runExample(await open()) };
  },

  cold: () => firstUse(opener),

  stock: () =>
    firstUse(async () => {
      const { SqliteSaver } = await import("@langchain/langgraph-checkpoint-sqlite");
      return () => SqliteSaver.fromConnString(":memory:");
    }),
};

/** A function that opens a saver on an empty store. */
async function opener() {
  const { SqliteSaver } = await import(`../../dist/entries/${store}.js`);
  // For a driver of another version than the one in this package's node_modules.
  const driver = globalThis.process.env.BETTER_SQLITE3;
  if (store !== "sqlite" || driver === undefined)
    return () => SqliteSaver.fromConnString(":memory:");
  const { default: Database } = await import(driver);
  return () => new SqliteSaver(new Database(":memory:", { timeout: 0 }));
}

/** The time from the import to the first answer, on an empty store. */
async function firstUse(prepare) {
  const begin = performance.now();
  const open = await prepare();
  const saver = open();
  const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
  return { found: tuple !== undefined, ms: performance.now() - begin };
}

console.log(JSON.stringify(await TASKS[task]()));
