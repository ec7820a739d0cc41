// What runs in a process of a runtime: process.mjs <kit|cold|stock> <store>. Prints one line of JSON.

const [task, store] = globalThis.process.argv.slice(2);

const TASKS = {
  async kit() {
    const { runKit } = await import("../kit.mjs");
    const { SqliteSaver } = await import(`../../dist/${store}.js`);
    return runKit({
      name: store,
      open: () => SqliteSaver.fromConnString(":memory:"),
      close: (saver) => saver.close(),
    });
  },

  cold: () => firstUse(`../../dist/${store}.js`),

  stock: () => firstUse("@langchain/langgraph-checkpoint-sqlite"),
};

/** The time from the import to the first answer on an empty store. */
async function firstUse(entry) {
  const begin = performance.now();
  const { SqliteSaver } = await import(entry);
  const saver = SqliteSaver.fromConnString(":memory:");
  const tuple = await saver.getTuple({ configurable: { thread_id: "cold" } });
  const ms = performance.now() - begin;
  return { found: tuple !== undefined, ms };
}

console.log(JSON.stringify(await TASKS[task]()));
