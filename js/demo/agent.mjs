// A LangGraph.js agent whose process may die at any time: its thread is in the database.
//
//   node agent.mjs start <place> <thread>     talks until it needs a human, and waits
//   node agent.mjs resume <place> <thread>    another process goes on, rewinds, and forks
//
// The place is a SQLite file, or a Kusto cluster's URI with the database as its path.

import { HumanMessage } from "@langchain/core/messages";
import { Command } from "@langchain/langgraph";

import { compile, question, TURNS } from "./graph.mjs";
import { messageLine, printHistory, printSaid, printStorage } from "./print.mjs";
import { open } from "./store.mjs";

const OTHER_TURN = "Book a direct flight instead, and a cheap hotel.";

/** Says one thing to the agent and prints what it does, up to its answer or its question. */
async function say(app, config, input) {
  for await (const update of await app.stream(input, { ...config, streamMode: "updates" })) {
    for (const { messages } of Object.values(update)) printSaid(messages ?? []);
  }
  return app.getState({ configurable: { thread_id: config.configurable.thread_id } });
}

function human(text) {
  const message = new HumanMessage(text);
  printSaid([message]);
  return { messages: [message] };
}

async function start(app, thread) {
  let state;
  for (const turn of TURNS) {
    state = await say(app, thread, human(turn));
    console.log();
  }
  console.log(`  The agent has stopped: ${question(state)}`);
  console.log("  waiting for approval; every step so far is stored");
  // The process that would wait for a person. It is killed here, without warning.
  setInterval(() => {}, 60_000);
}

async function resume(app, thread, store) {
  const waiting = await app.getState(thread);
  console.log(`  Found ${waiting.values.messages.length} messages, and a question still open:`);
  console.log(`  ${question(waiting)}\n`);
  console.log("  Approving it...");
  const approved = new Command({ resume: { approved: true, by: "Ana" } });
  const booked = await say(app, thread, approved);

  const history = [];
  for await (const state of app.getStateHistory(thread)) history.push(state);
  console.log("\n  The thread's history, newest first:\n");
  printHistory(history);

  const beforeBooking = history.find(({ next, values }) => {
    return next.length === 0 && values.messages.length < booked.values.messages.length;
  });
  console.log("\n  Rewinding to the end of the second turn, and taking another way from there:\n");
  const fork = { configurable: { ...thread.configurable, ...beforeBooking.config.configurable } };
  await say(app, fork, human(OTHER_TURN));
  console.log("\n  Approving that one, too...");
  const forked = await say(app, thread, approved);

  console.log("\n  Two branches of one thread, both whole:\n");
  for (const [name, { config }] of Object.entries({ first: booked, second: forked })) {
    const { values } = await app.getState(config);
    console.log(
      `    ${name.padEnd(6)}  ${values.messages.length} messages  ${messageLine(values, 62)}`,
    );
  }
  await printStorage(store, thread);
}

const [command, place, threadId] = process.argv.slice(2);
const parts = { start, resume };
if (!Object.hasOwn(parts, command ?? "") || place === undefined || threadId === undefined) {
  console.error("usage: node agent.mjs start|resume <place> <thread>");
  process.exit(2);
}
const store = await open(place, threadId);
const app = compile(store.checkpointer);
await parts[command](app, { configurable: { thread_id: threadId } }, store);
