// LangGraph's own conformance suite. The name is ours, so that the suite skips nothing.

import { deltaChannelHistoryTests, specTest } from "@langchain/langgraph-checkpoint-validation";

import { SqliteSaver } from "../src/sqlite.js";

for (const cacheBytes of [undefined, 0, 3_000]) {
  const initializer = {
    checkpointerName: `langgraph-checkpoint-wasm/sqlite, ${cacheBytes ?? "default"} cacheBytes`,
    createCheckpointer: () => SqliteSaver.fromConnString(":memory:", { cacheBytes }),
    destroyCheckpointer: (checkpointer: SqliteSaver) => checkpointer.close(),
  };
  specTest(initializer);
  deltaChannelHistoryTests(initializer);
}
