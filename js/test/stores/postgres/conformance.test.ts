// LangGraph's conformance suite on PostgreSQL. With a name that the suite does not know, it skips
// nothing.

import { deltaChannelHistoryTests, specTest } from "@langchain/langgraph-checkpoint-validation";

import type { PostgresSaver } from "../../../src/entries/postgres.js";
import { newSchema } from "./support/target.js";

const initializer = {
  checkpointerName: "langgraph-checkpoint-wasm/postgres",
  createCheckpointer: async () => newSchema().open(),
  destroyCheckpointer: (checkpointer: PostgresSaver) => checkpointer.end(),
};
specTest(initializer);
deltaChannelHistoryTests(initializer);
