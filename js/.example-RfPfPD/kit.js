import { test } from "node:test";
import { adapterTests } from "langgraph-checkpoint-wasm/testing";
import { MemoryAdapter } from "./memory-adapter.js";

const subject = { name: "memory", open: () => new MemoryAdapter() };
for (const { name, run } of adapterTests(subject)) test(name, run);
