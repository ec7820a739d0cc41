// Values that cannot be stored are left out: the run goes on, and one warning names them.

import {
  Annotation,
  Command,
  END,
  interrupt,
  Send,
  START,
  StateGraph,
  StateSchema,
  UntrackedValue,
} from "@langchain/langgraph";
import { z } from "zod";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";

function open(serde: (options: object) => JsonPlusSerde = (options) => new JsonPlusSerde(options)) {
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const saver = SqliteSaver.fromConnString(":memory:", { serde: serde({ onWarning }) });
  onTestFinished(() => saver.close());
  return { saver, warnings };
}

const strict = (options: object) => new JsonPlusSerde({ ...options, strict: true });

/** A serializer that overrides how texts are written, as one with encryption does. */
class Sealed extends JsonPlusSerde {
  override async dumpsTyped(value: unknown): Promise<["json" | "bytes", Uint8Array]> {
    return super.dumpsTyped(value);
  }
}

const thread = { configurable: { thread_id: "t" } };

describe("a Send whose args hold what is not tracked", () => {
  const State = new StateSchema({
    session: new UntrackedValue(z.any()),
    more: new UntrackedValue(z.any()),
    seen: z.array(z.string()).default([]),
  });

  function graph(checkpointer: SqliteSaver, args: Record<string, unknown>) {
    return new StateGraph(State)
      .addNode("plan", () => ({}))
      .addNode("visit", (input) => ({ seen: [`${Reflect.get(input, "place")}`] }))
      .addEdge(START, "plan")
      .addConditionalEdges("plan", () => [new Send("visit", { place: "here", ...args })])
      .addEdge("visit", END)
      .compile({ checkpointer });
  }

  async function sendsOf(saver: SqliteSaver): Promise<unknown[]> {
    const tuples = await all(saver.list(thread));
    return tuples.flatMap(({ checkpoint }) => checkpoint.channel_values.__pregel_tasks ?? []);
  }

  const session: Record<string, unknown> = { open: true };
  session.self = session;
  const throwing = {
    toJSON() {
      throw new Error("mine");
    },
  };

  test.each<[string, unknown]>([
    ["a_cycle", session],
    ["a_toJSON_that_throws", throwing],
  ])("does_not_fail_the_run_where_that_is_%s", async (_, untracked) => {
    for (const serde of [undefined, (options: object) => new Sealed(options)]) {
      const { saver, warnings } = open(serde);
      const run = graph(saver, { session: untracked, more: untracked });
      expect((await run.invoke({}, thread)).seen).toEqual(["here"]);
      expect(await sendsOf(saver)).toEqual([{ node: "visit", args: { place: "here" } }]);
      expect(warnings).toEqual([
        expect.stringMatching(/left out: .*__pregel_tasks\[0\]\.args\.session/),
      ]);
    }
  });

  test("is_as_untracked_in_every_later_Send_with_no_warning_more", async () => {
    const { saver, warnings } = open();
    const run = graph(saver, { session });
    await run.invoke({}, thread);
    await run.invoke({}, thread);
    expect(warnings).toHaveLength(1);
    expect(await sendsOf(saver)).toHaveLength(2);
  });

  test("fails_the_run_with_strict", async () => {
    const { saver } = open(strict);
    const run = graph(saver, { session }).invoke({}, thread);
    await expect(run).rejects.toMatchObject({
      code: "cyclic-value",
      path: "__pregel_tasks[0].args.session.self",
    });
  });

  test("and_another_fault_in_the_channel_is_still_refused", async () => {
    const { saver } = open();
    const put = saver.put(
      config("t"),
      checkpoint(1, { __pregel_tasks: [{ node: "visit", args: session }] }),
      metadata(1),
    );
    await expect(put).rejects.toMatchObject({ code: "cyclic-value" });
    await expect(
      saver.put(
        config("t"),
        checkpoint(1, { other: [new Send("visit", { session })] }),
        metadata(1),
      ),
    ).rejects.toMatchObject({ path: "other[0].args.session.self" });
  });
});

describe("a channel's value of which nothing can be stored", () => {
  const values: [string, unknown, string][] = [
    ["a function", () => 1, "function"],
    ["a symbol", Symbol("s"), "symbol"],
    ["a promise", Promise.resolve(1), "Promise"],
    ["a weak map", new WeakMap(), "WeakMap"],
    ["search parameters", new URLSearchParams("a=1"), "URLSearchParams"],
    ["headers", new Headers({ a: "1" }), "Headers"],
    ["a blob", new Blob(["x"]), "Blob"],
  ];

  test.each(values)("is_left_out_with_a_warning: %s", async (_, value, kind) => {
    for (const serde of [undefined, (options: object) => new Sealed(options)]) {
      const { saver, warnings } = open(serde);
      await saver.put(config("t"), checkpoint(1, { keep: 1, value }), metadata(1), {
        keep: 1,
        value: 1,
      });
      await saver.put(config("t", idOf(1)), checkpoint(2, { keep: 2, value }), metadata(2), {
        keep: 2,
      });
      await saver.putWrites(
        config("t", idOf(2)),
        [
          ["value", value],
          ["keep", 3],
        ],
        "task",
      );
      const tuple = await saver.getTuple(config("t"));
      expect(tuple?.checkpoint.channel_values).toEqual({ keep: 2 });
      expect(tuple?.checkpoint.channel_versions).toEqual({ keep: 2, value: 2 });
      expect(tuple?.pendingWrites).toEqual([["task", "keep", 3]]);
      expect(warnings).toEqual([`a ${kind} cannot be stored and is left out: value`]);
    }
  });

  test.each(values)("is_left_out_inside_another_alike: %s", async (_, value, kind) => {
    const { saver, warnings } = open();
    const state = { a: { deep: [{ value, keep: 1 }] }, list: [value, 1] };
    await saver.put(config("t"), checkpoint(1, state), metadata(1), { a: 1, list: 1 });
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({
      a: { deep: [{ keep: 1 }] },
      list: [null, 1],
    });
    const left = (place: string) => `a ${kind} cannot be stored and is left out: ${place}`;
    expect(warnings).toEqual([left("a.deep[0].value"), left("list[0]")]);
  });

  test.each(values)("is_refused_with_strict: %s", async (_, value) => {
    const { saver } = open(strict);
    for (const state of [{ value }, { value: { deep: [value] } }]) {
      const put = saver.put(config("t"), checkpoint(1, state), metadata(1), { value: 1 });
      await expect(put).rejects.toMatchObject({
        code: "unserializable-value",
        path: expect.stringMatching(/^value/),
      });
    }
    const written = saver.putWrites(config("t", idOf(1)), [["value", value]], "task");
    await expect(written).rejects.toMatchObject({ code: "unserializable-value", path: "value" });
    expect(await all(saver.list(config("t")))).toEqual([]);
  });

  test("that_has_fields_or_a_toJSON_is_stored_as_those", async () => {
    const { saver, warnings } = open();
    const state = {
      promise: Object.assign(Promise.resolve(1), { kept: 1 }),
      named: Object.assign(() => 1, { toJSON: () => "named" }),
      posing: { [Symbol.toStringTag]: "Promise", kept: 1 },
    };
    await saver.put(config("t"), checkpoint(1, state), metadata(1));
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({
      promise: { kept: 1 },
      named: "named",
      posing: { kept: 1 },
    });
    expect(warnings).toEqual([]);
  });

  test("does_not_fail_a_run_that_is_interrupted_and_goes_on", async () => {
    const { saver, warnings } = open();
    const State = Annotation.Root({ tool: Annotation<unknown>(), answer: Annotation<string>() });
    const graph = new StateGraph(State)
      .addNode("find", () => ({ tool: () => "found" }))
      .addNode("ask", () => ({ answer: interrupt("which?") }))
      .addEdge(START, "find")
      .addEdge("find", "ask")
      .addEdge("ask", END)
      .compile({ checkpointer: saver });
    await graph.invoke({}, thread);
    const final = await graph.invoke(new Command({ resume: "this" }), thread);
    expect(final).toEqual({ answer: "this" });
    expect(warnings).toEqual(["a function cannot be stored and is left out: tool"]);
  });
});

describe("an error names the channel and the place in it", () => {
  const report = () => {
    const graph: Record<string, unknown> = {};
    graph.self = graph;
    return graph;
  };
  const getter = {
    get broken(): never {
      throw new Error("mine");
    },
  };
  let endless: unknown = 1n;
  for (let depth = 0; depth < 20_000; depth += 1) endless = { d: endless };

  test.each<[string, unknown, string]>([
    ["a cycle", { sections: [1, { graph: report() }] }, "report.sections[1].graph.self"],
    ["a cycle in a list", [0, { graph: report() }], "report[1].graph.self"],
    ["a getter that throws", { sections: [1, getter] }, "report.sections[1].broken"],
    [
      "a getter of a list",
      [{ sections: [new Map([["k", [getter]]])] }],
      "report[0].sections[0][0][1][0].broken",
    ],
    ["a getter of a map", { broken: [new Date(0), getter] }, "report.broken[1].broken"],
  ])("of %s", async (_, value, path) => {
    const { saver } = open();
    const put = saver.put(config("t"), checkpoint(1, { report: value }), metadata(1));
    await expect(put).rejects.toMatchObject({ path, message: expect.stringContaining(path) });
    const written = saver.putWrites(
      config("t", idOf(1)),
      [
        ["a", 1],
        ["report", value],
      ],
      "task",
    );
    await expect(written).rejects.toMatchObject({ path, message: expect.stringContaining(path) });
  });

  test("of nesting that is too deep", async () => {
    const { saver } = open();
    const put = saver.put(config("t"), checkpoint(1, { report: { endless } }), metadata(1));
    await expect(put).rejects.toMatchObject({
      code: "unserializable-value",
      path: expect.stringMatching(/^report/),
    });
  });

  test("and nesting that is less deep is stored", async () => {
    const { saver } = open();
    let deep: unknown = { at: new Date(5) };
    for (let depth = 0; depth < 9_990; depth += 1) deep = depth % 2 ? [deep] : { d: deep };
    await saver.put(config("t"), checkpoint(1, { deep, list: [deep] }), metadata(1));
    await saver.put(config("t", idOf(1)), checkpoint(2, { deep, list: [deep, 1] }), metadata(2));
    await saver.putWrites(config("t", idOf(2)), [["deep", deep]], "task");
    const fresh = new SqliteSaver(saver.db);
    for (const tuple of [
      await fresh.getTuple(config("t")),
      ...(await all(fresh.list(config("t")))),
    ]) {
      let read: unknown = Object(tuple?.checkpoint.channel_values.list)[0];
      for (let depth = 9_989; depth >= 0; depth -= 1)
        read = depth % 2 ? Object(read)[0] : Object(read).d;
      expect(read).toEqual({ at: new Date(5) });
    }
  });

  test("of what is not the serializer's to read", async () => {
    const { saver } = open();
    await saver.put(config("t"), checkpoint(1, { report: { a: 1 } }), metadata(1));
    class Blind extends JsonPlusSerde {
      override loads(type: string, data: Uint8Array | string): unknown {
        return super.loads(
          type,
          `${new TextDecoder().decode(Uint8Array.from(Buffer.from(data)))}]`,
        );
      }
    }
    const read = new SqliteSaver(saver.db, new Blind()).getTuple(config("t"));
    await expect(read).rejects.toMatchObject({ code: "unreadable-value", path: "report" });
  });
});
