// The graph of the README's example, for runtimes that cannot run the example from a file.

import { Annotation, Command, END, interrupt, START, StateGraph } from "@langchain/langgraph/web";

const State = Annotation.Root({
  notes: Annotation({ reducer: (left, right) => left.concat(right), default: () => [] }),
});

const THREAD = { configurable: { thread_id: "readme" } };

/** Runs it on a saver and returns the notes of the state that is then read. */
export async function runExample(checkpointer) {
  const app = exampleOn(checkpointer);
  await app.invoke({ notes: ["first"] }, THREAD);
  return (await app.getState(THREAD)).values.notes;
}

/** Invokes it once more. */
export async function invokeExample(checkpointer) {
  await exampleOn(checkpointer).invoke({ notes: ["next"] }, THREAD);
}

function exampleOn(checkpointer) {
  return new StateGraph(State)
    .addNode("greet", ({ notes }) => ({ notes: [`hello, note ${notes.length}`] }))
    .addEdge(START, "greet")
    .addEdge("greet", END)
    .compile({ checkpointer });
}

/** Runs an agent whose node asks a question, and answers it. */
export async function runAgent(checkpointer) {
  const app = new StateGraph(State)
    .addNode("greet", () => ({ notes: [`hello, ${interrupt("who are you?")}`] }))
    .addEdge(START, "greet")
    .addEdge("greet", END)
    .compile({ checkpointer });
  const thread = { configurable: { thread_id: "agent" } };
  const asked = await app.invoke({ notes: [] }, thread);
  const { notes } = await app.invoke(new Command({ resume: "Ana" }), thread);
  return [...asked.__interrupt__.map(({ value }) => value), ...notes];
}
