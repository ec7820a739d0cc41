// LangGraph's conformance suite on Kusto. With a name that the suite does not know, it skips
// nothing.

import { deltaChannelHistoryTests, specTest } from "@langchain/langgraph-checkpoint-validation";

import type { KustoSaver } from "../../../src/entries/kusto.js";
import { describeKusto, newTable } from "./support/target.js";

describeKusto("on Kusto", () => {
  const initializer = {
    checkpointerName: "langgraph-checkpoint-wasm/kusto",
    createCheckpointer: async () => (await newTable()).open(),
    destroyCheckpointer: (checkpointer: KustoSaver) => checkpointer.close(),
  };
  specTest(initializer);
  deltaChannelHistoryTests(initializer);
});
