// LangGraph's own conformance suite. The name is ours, so that the suite skips nothing.

import { deltaChannelHistoryTests, specTest } from "@langchain/langgraph-checkpoint-validation";

import { SqliteSaver } from "../src/sqlite.js";

const initializer = {
  checkpointerName: "langgraph-checkpoint-wasm/sqlite",
  createCheckpointer: () => SqliteSaver.fromConnString(":memory:"),
  destroyCheckpointer: (checkpointer: SqliteSaver) => checkpointer.close(),
};

specTest(initializer);
deltaChannelHistoryTests(initializer);
