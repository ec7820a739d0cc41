// After a prune or a copy, real graphs go on as if nothing had happened.

import type { RunnableConfig } from "@langchain/core/runnables";
import {
  Annotation,
  type BaseCheckpointSaver,
  Command,
  DeltaChannel,
  END,
  interrupt,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { CheckpointerError } from "../../src/errors.js";
import type { KeepOptions } from "../../src/langgraph/lifecycle-saver.js";

const State = Annotation.Root({
  xs: Annotation<string[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
  log: () =>
    new DeltaChannel<string[], string[]>((state, updates) => state.concat(...updates), {
      snapshotFrequency: 3,
      initialValueFactory: () => [],
    }),
});

/** A graph with a subgraph that asks, tasks in parallel, and a delta channel. */
function asking(checkpointer: BaseCheckpointSaver) {
  const inner = new StateGraph(State)
    .addNode("ask", (state) => {
      const answer: string = interrupt({ question: state.xs.length });
      return { xs: [answer], log: [`asked ${answer}`] };
    })
    .addEdge(START, "ask")
    .addEdge("ask", END)
    .compile();
  return new StateGraph(State)
    .addNode("plan", () => new Command({ goto: [new Send("task", 1), new Send("task", 2)] }), {
      ends: ["task"],
    })
    .addNode("task", (input: unknown) => ({ xs: [`task ${input}`], log: [`did ${input}`] }))
    .addNode("inner", inner)
    .addEdge(START, "plan")
    .addEdge("task", "inner")
    .addEdge("inner", END)
    .compile({ checkpointer });
}

const thread = (thread_id: string): RunnableConfig => ({ configurable: { thread_id } });

/** Runs three turns, and a fourth up to its question. */
async function talk(checkpointer: BaseCheckpointSaver, config: RunnableConfig) {
  const app = asking(checkpointer);
  for (const turn of [1, 2, 3]) {
    await app.invoke({ xs: [`in ${turn}`], log: [`in ${turn}`] }, config);
    await app.invoke(new Command({ resume: `answer ${turn}` }), config);
  }
  await app.invoke({ xs: ["in 4"], log: ["in 4"] }, config);
  return app;
}

const RULES: Record<string, KeepOptions> = {
  "the latest": {},
  "the last 2": { keepLast: 2 },
  "the last 5": { keepLast: 5 },
  "from a time on": { newerThan: new Date(0) },
};

describe("a thread that was pruned", () => {
  for (const [what, options] of Object.entries(RULES)) {
    it(`is resumed at its interrupt as if nothing had happened (${what} kept)`, async () => {
      const [pruned, whole] = [":memory:", ":memory:"].map((at) => SqliteSaver.fromConnString(at));
      const ends = [];
      for (const saver of [pruned, whole] as SqliteSaver[]) {
        const app = await talk(saver, thread("chat"));
        if (saver === pruned) await saver.prune(["chat"], options);
        const before = await app.getState(thread("chat"));
        await app.invoke(new Command({ resume: "yes" }), thread("chat"));
        await app.invoke({ xs: ["in 5"], log: ["in 5"] }, thread("chat"));
        const after = await app.getState(thread("chat"));
        ends.push([before.values, before.next, after.values, after.next]);
      }
      expect(ends[0]).toEqual(ends[1]);
    });
  }

  it("is read and forked from each checkpoint that was kept as before", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    const app = await talk(saver, thread("chat"));
    const states = async () => {
      const found = [];
      for await (const { config, values, next } of app.getStateHistory(thread("chat"))) {
        found.push({ id: config.configurable?.checkpoint_id as string, values, next });
      }
      return found;
    };
    const before = await states();
    await saver.prune(["chat"], { keepLast: 4 });
    const after = await states();
    expect(after.length).toBeLessThan(before.length);
    expect(after.slice(0, 4)).toEqual(before.slice(0, 4));
    for (const { id } of after.slice(0, 4)) {
      const fork = { configurable: { thread_id: "chat", checkpoint_id: id } };
      const forked = await app.updateState(fork, { xs: ["forked"], log: ["forked"] });
      const { values } = await app.getState(forked);
      const then = before.find((state) => state.id === id);
      expect(values.log).toEqual([...(then?.values.log ?? []), "forked"]);
    }
  });

  it("is smaller by what a dry run counts", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    await talk(saver, thread("chat"));
    const before = await saver.stats("chat");
    const dry = await saver.prune(["chat"], { dryRun: true });
    expect(await saver.stats("chat")).toEqual(before);
    const done: unknown[] = [];
    const work = await saver.prune(["chat", "nobody"], { onProgress: (now) => done.push(now) });
    expect(work).toEqual(dry);
    expect(done.at(-1)).toEqual(work);
    const after = await saver.stats("chat");
    expect(before.checkpoints - after.checkpoints).toBe(work.checkpoints);
    expect(before.chunks - after.chunks).toBe(work.chunks);
    expect(before.chunkBytes - after.chunkBytes).toBe(work.bytes);
  });
});

describe("a copy of a thread", () => {
  it("goes on by itself, and its source too", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    const app = await talk(saver, thread("chat"));
    await saver.copyThread("chat", "copy");
    await saver.copyThread("chat", "short", { keep: "latest" });
    await app.invoke(new Command({ resume: "yes" }), thread("copy"));
    await app.invoke(new Command({ resume: "yes" }), thread("short"));
    const [copy, short] = await Promise.all([
      app.getState(thread("copy")),
      app.getState(thread("short")),
    ]);
    expect(copy.next).toEqual([]);
    expect(short.values).toEqual(copy.values);
    expect((await app.getState(thread("chat"))).next).toEqual(["inner"]);
    await saver.deleteThread("chat");
    expect((await app.getState(thread("copy"))).values).toEqual(copy.values);
  });

  it("is refused where a thread is, and of a thread that is not there", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    await talk(saver, thread("chat"));
    const codes = [
      saver.copyThread("chat", "chat"),
      saver.copyThread("nobody", "copy"),
      saver.copyThread("chat", ""),
      saver.copyThread("chat", "copy", { keep: "all" as "latest" }),
    ].map((copy) => copy.catch((thrown: CheckpointerError) => thrown.code));
    const expected = ["existing-thread", "missing-thread", "missing-id", "invalid-argument"];
    expect(await Promise.all(codes)).toEqual(expected);
  });
});

describe("threads", () => {
  const put = async (saver: SqliteSaver, id: string, metadata: object, names = {}) => {
    const checkpoint = {
      v: 4,
      id: `1ef4f797-8335-6428-8001-${id.padStart(12, "0")}`,
      ts: "2024-04-19T17:19:07.952Z",
      channel_values: {},
      channel_versions: {},
      versions_seen: {},
    };
    const given = { source: "loop", step: 1, parents: {}, ...metadata } as const;
    const { configurable } = thread(`thread-${id}`);
    const config: RunnableConfig = { ...names };
    await saver.put(
      { ...config, configurable: { ...config.configurable, ...configurable } },
      checkpoint,
      given,
      {},
    );
  };

  it("are listed page by page, the newest first", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    for (const id of ["1", "2", "3"]) await put(saver, id, { user: Number(id) % 2 });
    const first = await saver.threads({ limit: 2 });
    expect(first.threads.map(({ threadId }) => threadId)).toEqual(["thread-3", "thread-2"]);
    expect(first.threads[0]).toMatchObject({ namespaces: 1, checkpoints: 1, writes: 0 });
    expect(first.threads[0]?.metadata).toEqual({ source: "loop", step: 1, parents: {}, user: 1 });
    const second = await saver.threads({ limit: 2, after: first.next });
    expect(second).toMatchObject({ threads: [{ threadId: "thread-1" }], next: undefined });
    const odd = await saver.threads({ metadata: { user: 1 } });
    expect(odd.threads.map(({ threadId }) => threadId)).toEqual(["thread-3", "thread-1"]);
  });

  it("expire once nobody has put to them for a while, and those of a run go with it", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    for (const id of ["1", "2"]) await put(saver, id, { run_id: `run-${id}` });
    expect(await saver.expire({ idleFor: 1e15 })).toMatchObject({ threads: 0 });
    expect(await saver.deleteForRuns(["run-1"])).toMatchObject({ threads: 1, checkpoints: 1 });
    const gone = await saver.expire({ idleFor: 1000, strategy: "delete" });
    expect(gone).toMatchObject({ threads: 1, checkpoints: 1 });
    expect(await saver.stats()).toMatchObject({ threads: 1, checkpoints: 0 });
  });

  it("go with the run that their config names, and metadata is read as it was put", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    const runs: [id: string, names: RunnableConfig][] = [
      ["1", { metadata: { run_id: "run-1" }, configurable: { run_id: "not this" } }],
      ["2", { configurable: { run_id: "run-2" } }],
      ["3", { metadata: { run_id: { no: "id" } } }],
      ["4", { metadata: { run_id: "\ud800" } }],
    ];
    for (const [id, names] of runs) await put(saver, id, {}, names);
    const { metadata } = (await saver.getTuple(thread("thread-1"))) ?? {};
    expect(metadata).toEqual({ source: "loop", step: 1, parents: {} });
    const left = async (run: string) => {
      await saver.deleteForRuns([run]);
      const { threads } = await saver.threads();
      return threads.map(({ threadId }) => threadId);
    };
    expect(await left("not this")).toHaveLength(4);
    expect(await left("run-1")).toEqual(["thread-4", "thread-3", "thread-2"]);
    expect(await left("run-2")).toEqual(["thread-4", "thread-3"]);
  });

  it("go with the run of a graph whose caller named it", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    const app = asking(saver);
    for (const run of ["run-1", "run-2"]) {
      await app.invoke({ xs: [run] }, { ...thread(run), metadata: { run_id: run } });
    }
    await saver.deleteForRuns(["run-1"]);
    expect((await saver.threads()).threads.map(({ threadId }) => threadId)).toEqual(["run-2"]);
  });

  it("are pruned one by one until the caller aborts", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    for (const id of ["1", "2", "3"]) await put(saver, id, {});
    const controller = new AbortController();
    const ids = ["thread-1", "thread-2", "thread-3"];
    const pruning = saver.prune(ids, {
      strategy: "delete",
      signal: controller.signal,
      onProgress: ({ threads }) => {
        if (threads === 2) controller.abort(new Error("enough"));
      },
    });
    await expect(pruning).rejects.toThrow("enough");
    expect((await saver.threads()).threads).toHaveLength(1);
  });

  it("refuse options that make no sense, and store nothing", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    const refused = [
      saver.prune(["a"], { strategy: "keep_all" as "delete" }),
      saver.prune(["a"], { strategy: "delete", keepLast: 1 }),
      saver.prune(["a"], { keepLast: 1.5 }),
      saver.prune(["a"], { newerThan: new Date(Number.NaN) }),
      saver.expire({ idleFor: Number.NaN }),
      saver.expire({ idleFor: null as never }),
      saver.prune(["a"], { keepLast: 0 }),
      saver.prune([""]),
    ].map((call) => call.catch((thrown: CheckpointerError) => thrown.code));
    const codes = await Promise.all(refused);
    expect(codes.slice(0, 6)).toEqual(codes.slice(0, 6).fill("invalid-argument"));
    expect(codes.slice(6)).toEqual(["invalid-keep", "missing-id"]);
  });

  it("refuse members of other kinds by their names, and remove nothing", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    await put(saver, "a", {});
    const at = { configurable: { thread_id: "a", checkpoint_id: "1" } };
    const calls: [call: Promise<unknown>, named: string][] = [
      [saver.expire({ idleFor: 0, strategy: "delete", limit: "1" as never }), "limit"],
      [saver.prune(["a"], { strategy: "delete", dryRun: "false" as never }), "dryRun"],
      [saver.prune(["a"], { strategy: "delete", dryRun: null as never }), "dryRun"],
      [saver.vacuum({ pages: 3n as never }), "pages"],
      [saver.threads({ limit: "10" as never }), "limit"],
      [saver.threads({ idPrefix: 5 as never }), "idPrefix"],
      [saver.threads({ after: (() => {}) as never }), "after"],
      [saver.diff(at, { values: 1 as never }), "values"],
    ];
    for (const [call, named] of calls) {
      const expected = { code: "invalid-argument", message: expect.stringMatching(named) };
      await expect(call).rejects.toMatchObject(expected);
    }
    expect((await saver.threads()).threads).toHaveLength(1);
  });

  it("refuse unknown options, and a text instead of a list, and remove nothing", async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    await put(saver, "a", {});
    const mistyped: object = { keeplast: 10 };
    const calls: [call: Promise<unknown>, code: string][] = [
      [saver.prune(["a"], mistyped), "unknown-option"],
      [saver.deleteForRuns(["a"], mistyped), "unknown-option"],
      [saver.expire({ idleFor: 0, ...mistyped }), "unknown-option"],
      [saver.copyThread("a", "b", mistyped), "unknown-option"],
      [saver.threads({ prefix: "b" } as object), "unknown-option"],
      [saver.prune("a" as unknown as string[], { strategy: "delete" }), "invalid-argument"],
      [saver.deleteForRuns("a" as unknown as string[]), "invalid-argument"],
    ];
    for (const [call, code] of calls) await expect(call).rejects.toMatchObject({ code });
    expect((await saver.threads()).threads).toHaveLength(1);
  });
});

it("Other calls run between the batches of a prune", async () => {
  const saver = SqliteSaver.fromConnString(":memory:");
  const app = await talk(saver, thread("chat"));
  const order: string[] = [];
  const pruning = saver.prune(["chat"]).then(() => order.push("pruned"));
  const reading = app.getState(thread("chat")).then(() => order.push("read"));
  await Promise.all([pruning, reading]);
  expect(order).toEqual(["read", "pruned"]);
});

it("A prune inside a transaction of the caller's is refused", async () => {
  const { default: Database } = await import("better-sqlite3");
  const db = new Database(":memory:");
  const saver = new SqliteSaver(db);
  await talk(saver, thread("chat"));
  db.exec("BEGIN");
  const refused = saver.prune(["chat"]).catch((thrown) => thrown);
  expect(await refused).toBeInstanceOf(CheckpointerError);
  db.exec("ROLLBACK");
});
