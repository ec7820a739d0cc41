// Threads that a graph in Python has begun are continued in JavaScript. The rows are those of
// LangGraph's Python; tests/languages/README.md says how the file is made.

import { readFileSync } from "node:fs";
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import {
  Annotation,
  Command,
  DeltaChannel,
  END,
  interrupt,
  messagesStateReducer,
  START,
  StateGraph,
} from "@langchain/langgraph";
import type { Checkpoint, CheckpointMetadata } from "@langchain/langgraph-checkpoint";

import { JsonPlusSerde } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { config } from "../support/checkpoints.js";
import { temporaryDatabase } from "../support/temporary.js";

type Stored = [kind: string, base64: string];

interface Row {
  checkpoint: Omit<Checkpoint, "channel_values">;
  parent: string | null;
  metadata: CheckpointMetadata;
  values: Record<string, Stored>;
  writes: [task: string, channel: string, ...value: Stored][];
}

const FILE = new URL("../../../tests/languages/thread-of-python.json", import.meta.url);
const threads: Record<string, Row[]> = JSON.parse(readFileSync(FILE, "utf8"));

/** Bytes that Python has written. */
class PythonBytes {
  constructor(readonly stored: Stored) {}
}

/** Stores the bytes of Python as they are. */
class PythonSerde extends JsonPlusSerde {
  override dumps(value: unknown): ReturnType<JsonPlusSerde["dumps"]> {
    if (!(value instanceof PythonBytes)) return super.dumps(value);
    const [kind, base64] = value.stored;
    return [kind as "bytes", new Uint8Array(Buffer.from(base64, "base64"))];
  }
}

/** A database with the threads as Python has left them. */
async function databaseOfPython(): Promise<string> {
  const path = temporaryDatabase();
  const saver = SqliteSaver.fromConnString(path, { serde: new PythonSerde() });
  for (const [thread, rows] of Object.entries(threads)) {
    for (const { checkpoint, parent, metadata, values, writes } of rows) {
      const entries = Object.entries(values).map(([name, value]) => [name, new PythonBytes(value)]);
      const whole = { ...checkpoint, channel_values: Object.fromEntries(entries) };
      await saver.put(config(thread, parent ?? undefined), whole, metadata);
      const tasks = new Set(writes.map(([task]) => task));
      for (const task of tasks) {
        const own = writes.filter(([of]) => of === task);
        const made = own.map(([, name, ...value]) => [name, new PythonBytes(value)] as const);
        await saver.putWrites(
          config(thread, checkpoint.id),
          made.map((write) => [...write]),
          task,
        );
      }
    }
  }
  saver.close();
  return path;
}

const State = Annotation.Root({
  messages: Annotation<BaseMessage[]>({ reducer: messagesStateReducer, default: () => [] }),
  seen: Annotation<Set<string>>({
    reducer: (left, right) => new Set([...left, ...right]),
    default: () => new Set(),
  }),
  log: () =>
    new DeltaChannel<string[], string[]>((state, updates) => state.concat(...updates), {
      snapshotFrequency: 3,
      initialValueFactory: () => [],
    }),
  at: Annotation<Date>,
  approved: Annotation<boolean>,
});

function model({ messages }: typeof State.State): Partial<typeof State.State> {
  const name = `javascript ${messages.length}`;
  return {
    messages: [new AIMessage({ content: name, id: name })],
    seen: new Set([name]),
    log: [name],
  };
}

async function open() {
  const saver = SqliteSaver.fromConnString(await databaseOfPython());
  onTestFinished(() => saver.close());
  return saver;
}

const idle = { configurable: { thread_id: "idle" } };
const interrupted = { configurable: { thread_id: "interrupted" } };

test("a_thread_of_python_is_read_with_its_history_and_continued", async () => {
  const saver = await open();
  const app = new StateGraph(State)
    .addNode("model", model)
    .addEdge(START, "model")
    .compile({ checkpointer: saver });

  const before = await app.getState(idle);
  expect(before.values.messages.at(-1)).toEqual(new AIMessage({ content: "answer 7", id: "a7" }));
  expect(before.values.log).toEqual(["python 1", "python 3", "python 5", "python 7"]);
  expect(before.values.at).toEqual(new Date("2026-11-29T01:02:03.456Z"));
  const steps: unknown[] = [];
  for await (const { metadata } of app.getStateHistory(idle)) steps.push(metadata?.step);
  expect(steps).toEqual(threads.idle?.map(({ metadata }) => metadata.step).reverse());

  for (const turn of [0, 1]) {
    await app.invoke({ messages: [new HumanMessage({ content: "go on", id: `j${turn}` })] }, idle);
  }
  const { values } = await app.getState(idle);
  expect(values.messages.map(({ id }: BaseMessage) => id)).toEqual(
    "h0,a1,h1,a3,h2,a5,h3,a7,j0,javascript 9,j1,javascript 11".split(","),
  );
  expect([...values.seen]).toEqual(expect.arrayContaining(["python 7", "javascript 11"]));
  expect(values.log).toEqual([...before.values.log, "javascript 9", "javascript 11"]);
});

test("the_versions_of_a_thread_of_python_stay_text_that_sorts", async () => {
  const saver = await open();
  const app = new StateGraph(State)
    .addNode("model", model)
    .addEdge(START, "model")
    .compile({ checkpointer: saver });
  await app.invoke({ messages: [new HumanMessage("go on")] }, idle);
  const tuple = await saver.getTuple(idle);
  const versions = Object.values(tuple?.checkpoint.channel_versions ?? {}).map(String);
  for (const version of versions) expect(version).toMatch(/^\d{32}\..{16}/);
  const last = threads.idle?.at(-1)?.checkpoint.channel_versions ?? {};
  const before = Object.values(last).map(String).sort().at(-1) ?? "";
  expect((versions.sort().at(-1) ?? "") > before).toBe(true);
});

test("a_thread_that_waits_in_python_is_answered_in_javascript", async () => {
  const saver = await open();
  const app = new StateGraph(State)
    .addNode("model", model)
    .addNode("ask", ({ seen }) => {
      return { approved: interrupt<unknown, string>({ question: "go on?", seen }) === "yes" };
    })
    .addEdge(START, "model")
    .addEdge("model", "ask")
    .addEdge("ask", END)
    .compile({ checkpointer: saver });
  expect((await app.getState(interrupted)).next).toEqual(["ask"]);
  await app.invoke(new Command({ resume: "yes" }), interrupted);
  const { values, next } = await app.getState(interrupted);
  expect(next).toEqual([]);
  expect(values.approved).toBe(true);
  expect(values.messages.map(({ id }: BaseMessage) => id)).toEqual(["h0", "a1"]);
});
