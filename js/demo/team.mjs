// Agents of one process, each on a thread of its own, at once:
//
//   node team.mjs <place> <schema> <name> <thread>...
//
// They talk until each needs a human. Then the process reads lines with names of threads, and goes
// on with those, whoever began them. The place is a PostgreSQL server's connection string, or the
// folder of a PGlite database.

import { createInterface } from "node:readline";

import { Command } from "@langchain/langgraph";

import { compile, question, TURNS } from "./graph.mjs";
import { messageLine } from "./print.mjs";
import { openPostgres } from "./store.mjs";

const COLUMNS = 62;
const [place, schema, name, ...threads] = process.argv.slice(2);
if (threads.length === 0) {
  console.error("usage: node team.mjs <place> <schema> <name> <thread>...");
  process.exit(2);
}
const checkpointer = await openPostgres(place, schema);
const app = compile(checkpointer);
const configOf = (thread) => ({ configurable: { thread_id: thread } });
const say = (thread, { values }, text) => {
  const count = String(values.messages.length).padStart(2);
  console.log(`  ${name} | ${thread.padEnd(8)} | ${count} messages | ${text}`);
};

/** Talks until the agent waits for a person. */
async function talk(thread) {
  for (const turn of TURNS) {
    await app.invoke({ messages: [{ role: "user", content: turn }] }, configOf(thread));
    const state = await app.getState(configOf(thread));
    const isOpen = state.tasks.some(({ interrupts }) => interrupts.length > 0);
    say(thread, state, isOpen ? question(state) : messageLine(state.values, COLUMNS));
  }
}

/** Approves what the thread waits for. */
async function goOn(thread) {
  await app.invoke(new Command({ resume: { approved: true, by: "Ana" } }), configOf(thread));
  const state = await app.getState(configOf(thread));
  say(thread, state, messageLine(state.values, COLUMNS));
}

await Promise.all(threads.map(talk));
console.log(`  ${name} | waiting for approval; every step so far is stored`);
for await (const line of createInterface({ input: process.stdin })) {
  await Promise.all(line.split(" ").map(goOn));
}
await checkpointer.end();
