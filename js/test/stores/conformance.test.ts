// Runs the test kit on our own adapter: batches, transcripts, and LangGraph's conformance suite.
// The transcripts also run natively (`tests/tests/transcripts.rs`) and under wasmtime
// (`host/tests/transcripts.rs`).

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { adapterTests } from "../../src/testing/index.js";

describe.each([undefined, 0, 3_000])("with_a_cache_of_%s_bytes", (cacheBytes) => {
  const subject = {
    name: "langgraph-checkpoint-wasm/sqlite",
    open: () => SqliteSaver.fromConnString(":memory:", { cacheBytes }),
    close: (saver: SqliteSaver) => saver.close(),
  };
  for (const { name, run } of adapterTests(subject)) test(name, run);
});
