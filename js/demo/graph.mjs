// The agent of the demos, and what a person says to it.

import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";

import { LocalModel } from "./model.mjs";
import { tools } from "./travel.mjs";

export const TURNS = [
  "Three days in Lisbon in May. Which flights are there?",
  "And somewhere to stay near the river?",
  "Book the cheapest flight, and that place.",
];

/** The graph of the agent. */
export function compile(checkpointer) {
  const model = new LocalModel().bindTools(tools);
  return new StateGraph(MessagesAnnotation)
    .addNode("model", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addNode("tools", new ToolNode(tools))
    .addEdge(START, "model")
    .addConditionalEdges("model", ({ messages }) => {
      return messages.at(-1).tool_calls?.length > 0 ? "tools" : END;
    })
    .addEdge("tools", "model")
    .compile({ checkpointer });
}

/** What the agent waits for. */
export function question(state) {
  const [pending] = state.tasks.flatMap(({ interrupts }) => interrupts);
  return pending.value.question;
}
