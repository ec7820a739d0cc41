import { deepStrictEqual } from "node:assert/strict";
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import {
  Annotation,
  Command,
  END,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { expect, it } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { stock } from "./arbitraries.js";

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  seen: Annotation<Set<string>>({
    reducer: (left, right) => new Set([...left, ...right]),
    default: () => new Set(),
  }),
  asked: Annotation<unknown>(),
});

function compile(checkpointer: MemorySaver) {
  return new StateGraph(State)
    .addNode("plan", () => ({ messages: [new AIMessage({ content: "two visits", id: "a1" })] }))
    .addNode("visit", (input: { place: string }) => ({ seen: new Set([input.place]) }))
    .addNode("confirm", () => {
      const answer: unknown = interrupt({ question: "done?", options: new Map([["yes", 1]]) });
      return { asked: answer, messages: [new AIMessage({ content: String(answer), id: "a2" })] };
    })
    .addEdge(START, "plan")
    .addConditionalEdges("plan", () => [
      new Send("visit", { place: "here" }),
      new Send("visit", { place: "there" }),
    ])
    .addEdge("visit", "confirm")
    .addEdge("confirm", END)
    .compile({ checkpointer });
}

async function converse(serde: SerializerProtocol): Promise<unknown> {
  const config = { configurable: { thread_id: "t" } };
  const checkpointer = new MemorySaver(serde);
  await compile(checkpointer).invoke(
    { messages: [new HumanMessage({ content: "go", id: "h1" })] },
    config,
  );
  // A second graph knows only what the first one stored.
  const graph = compile(checkpointer);
  const paused = await graph.getState(config);
  const final = await graph.invoke(new Command({ resume: "yes" }), config);
  const steps: unknown[] = [];
  for await (const { values, next, metadata } of graph.getStateHistory(config)) {
    steps.push({ values, next, step: metadata?.step, source: metadata?.source });
  }
  const questions = paused.tasks.flatMap((task) => task.interrupts.map(({ value }) => value));
  return { next: paused.next, questions, final, steps };
}

it("a graph that pauses and sends runs as with LangGraph.js's own serializer", async () => {
  const outcome = Object(await converse(new JsonPlusSerde()));
  expect(outcome).toEqual(await converse(stock));
  const messages: BaseMessage[] = outcome.final.messages;
  expect(messages.map(({ content }) => content)).toEqual(["go", "two visits", "yes"]);
  expect(messages[0]).toBeInstanceOf(HumanMessage);
  deepStrictEqual(outcome.final.seen, new Set(["here", "there"]));
  deepStrictEqual(outcome.questions, [{ question: "done?", options: new Map([["yes", 1]]) }]);
  expect(outcome.steps.length).toBeGreaterThan(4);
});
