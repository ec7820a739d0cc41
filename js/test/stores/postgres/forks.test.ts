// Forks of real graphs. LangGraph's versions are small integers, so two branches have the same
// version of a channel with other values.

import type { RunnableConfig } from "@langchain/core/runnables";
import { Annotation, Command, interrupt, START, StateGraph } from "@langchain/langgraph";

import type { PostgresSaver } from "../../../src/entries/postgres.js";
import { all, config } from "../../support/checkpoints.js";
import { newSchema } from "./support/target.js";

const State = Annotation.Root({
  messages: Annotation<string[]>({
    reducer: (left, right) => left.concat(right),
    default: () => [],
  }),
  draft: Annotation<string>(),
});

const LONG = "long enough for a chunk of its own ".repeat(8);

function chat(checkpointer: PostgresSaver) {
  return new StateGraph(State)
    .addNode("write", ({ messages }) => {
      return {
        messages: [`${LONG}answer to ${messages.at(-1)}`],
        draft: `draft ${messages.length}`,
      };
    })
    .addEdge(START, "write")
    .compile({ checkpointer });
}

/** The messages of a state, without what makes them long. */
async function messagesOf(app: ReturnType<typeof chat>, at: RunnableConfig): Promise<string[]> {
  const { values } = await app.getState(at);
  return values.messages.map((text: string) => text.replaceAll(LONG, ""));
}

test("branches_with_equal_versions_keep_their_own_values", async () => {
  const schema = newSchema();
  const app = chat(schema.open());
  await app.invoke({ messages: ["one"] }, config("t"));
  const before = (await app.getState(config("t"))).config;
  const branches: [string, RunnableConfig][] = [];
  for (const branch of ["left", "right", "middle"]) {
    await app.invoke({ messages: [branch] }, before);
    branches.push([branch, (await app.getState(config("t"))).config]);
  }
  // A saver that remembers nothing, and one that has read the other branches before.
  const warm = chat(schema.open());
  for (const [branch, at] of [...branches, ...branches.toReversed()]) {
    const expected = ["one", "answer to one", branch, `answer to ${branch}`];
    for (const reader of [chat(schema.open({ cacheBytes: 0 })), warm, app]) {
      expect(await messagesOf(reader, at)).toStrictEqual(expected);
    }
  }
  const versions = new Set<unknown>();
  const heads = new Set(branches.map(([, at]) => at.configurable?.checkpoint_id));
  for (const tuple of await all(schema.open().list(config("t")))) {
    if (heads.has(tuple.checkpoint.id)) versions.add(tuple.checkpoint.channel_versions.messages);
  }
  expect(versions.size).toBe(1);
});

test("a_fork_by_an_update_of_the_state_continues_from_its_own_values", async () => {
  const app = chat(newSchema().open());
  await app.invoke({ messages: ["one"] }, config("t"));
  const old = (await app.getState(config("t"))).config;
  await app.invoke({ messages: ["two"] }, config("t"));
  const newest = (await app.getState(config("t"))).config;
  const fork = await app.updateState(old, { messages: ["instead"], draft: "other" });
  await app.invoke({ messages: ["go on"] }, fork);
  const common = ["one", "answer to one"];
  expect(await messagesOf(app, newest)).toStrictEqual([...common, "two", "answer to two"]);
  expect(await messagesOf(app, fork)).toStrictEqual([...common, "instead"]);
  const after = [...common, "instead", "go on", "answer to go on"];
  expect(await messagesOf(app, config("t"))).toStrictEqual(after);
});

test("an_interrupted_graph_is_resumed_by_another_process", async () => {
  const schema = newSchema();
  const asking = (checkpointer: PostgresSaver) => {
    return new StateGraph(State)
      .addNode("ask", () => ({ messages: [`${LONG}${interrupt("who?")}`] }))
      .addNode("beside", () => ({ draft: LONG }))
      .addEdge(START, "ask")
      .addEdge(START, "beside")
      .compile({ checkpointer });
  };
  await asking(schema.open()).invoke({ messages: ["one"] }, config("t"));
  const other = asking(schema.open());
  const state = await other.getState(config("t"));
  expect(
    state.tasks.flatMap(({ interrupts }) => interrupts.map(({ value }) => value)),
  ).toStrictEqual(["who?"]);
  const ended = await other.invoke(new Command({ resume: "me" }), config("t"));
  expect(ended).toStrictEqual({ messages: ["one", `${LONG}me`], draft: LONG });
});
