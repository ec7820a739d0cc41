// What LangGraph's own suite does not test, on a real database.

import { MemorySaver } from "@langchain/langgraph-checkpoint";
import { SqliteSaver as StockSaver } from "@langchain/langgraph-checkpoint-sqlite";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { all, checkpoint, config, idOf, ids, metadata } from "../support/checkpoints.js";

let saver: SqliteSaver;

beforeEach(() => {
  saver = SqliteSaver.fromConnString(":memory:");
});

afterEach(() => saver.close());

async function putThree(threadId: unknown = "thread") {
  const put = (number: number, more: object, parent?: string) =>
    saver.put(config(threadId, parent), checkpoint(number, { n: number }), metadata(number, more), {
      n: number,
    });
  await put(1, { tag: "a", "a.b": 1, nested: { x: 1 } });
  await put(2, { tag: "b", 'quo"te': "it's", a: { b: 1 } }, idOf(1));
  await put(3, { tag: "b", "1) OR 1=1 --": true, $: null }, idOf(2));
}

describe("configs", () => {
  test("thread_ts_stands_for_a_missing_checkpoint_id", async () => {
    await putThree();
    const tuple = await saver.getTuple({
      configurable: { thread_id: "thread", thread_ts: idOf(2) },
    });
    expect(tuple?.config).toEqual(config("thread", idOf(2)));
  });

  test("an_empty_checkpoint_id_stands_for_the_latest", async () => {
    await putThree();
    for (const checkpoint_id of ["", null, undefined]) {
      const tuple = await saver.getTuple({ configurable: { thread_id: "thread", checkpoint_id } });
      expect(tuple?.checkpoint.id).toBe(idOf(3));
    }
  });

  test("returned_configs_have_three_keys", async () => {
    const canary = { ...config("thread").configurable, canary: 1, __pregel_send: () => {} };
    const stored = await saver.put({ configurable: canary }, checkpoint(1), metadata(1), {});
    expect(stored).toEqual(config("thread", idOf(1)));
    const tuple = await saver.getTuple({ configurable: { ...canary, checkpoint_id: idOf(1) } });
    expect(tuple?.config).toEqual(config("thread", idOf(1)));
    expect(tuple?.parentConfig).toBeUndefined();
  });

  test("a_numeric_thread_id_is_its_digits_everywhere", async () => {
    await putThree(5);
    await saver.putWrites(config(5, idOf(3)), [["n", 1]], "task");
    const tuple = await saver.getTuple(config("5"));
    expect(tuple?.config).toEqual(config("5", idOf(3)));
    expect(tuple?.pendingWrites).toEqual([["task", "n", 1]]);
    expect(await ids(saver.list(config(5)))).toHaveLength(3);
    await saver.deleteThread("5");
    expect(await saver.getTuple(config(5))).toBeUndefined();
  });

  test("unknown_threads_and_missing_configurables_give_nothing", async () => {
    expect(await saver.getTuple(config("thread"))).toBeUndefined();
    expect(await saver.getTuple({})).toBeUndefined();
    expect(await saver.getTuple({ configurable: {} })).toBeUndefined();
    await saver.deleteThread("thread");
  });
});

describe("list", () => {
  test("newest_comes_first_within_before_and_limit", async () => {
    await putThree();
    expect(await ids(saver.list(config("thread")))).toEqual([idOf(3), idOf(2), idOf(1)]);
    const before = config("other", idOf(3));
    expect(await ids(saver.list(config("thread"), { before }))).toEqual([idOf(2), idOf(1)]);
    expect(await ids(saver.list(config("thread"), { before, limit: 1 }))).toEqual([idOf(2)]);
  });

  test("a_limit_of_zero_gives_nothing", async () => {
    await putThree();
    expect(await ids(saver.list(config("thread"), { limit: 0 }))).toEqual([]);
  });

  test("a_checkpoint_id_selects_that_checkpoint", async () => {
    await putThree();
    expect(await ids(saver.list(config("thread", idOf(2))))).toEqual([idOf(2)]);
  });

  test("an_empty_thread_id_is_not_all_threads", async () => {
    await putThree();
    const found = await ids(saver.list(config(""))).catch(({ code }) => code);
    expect(found).toSatisfy((is) => typeof is === "string" || is.length === 0);
    expect(await ids(saver.list({}))).toHaveLength(3);
  });

  test("filter_keys_mean_themselves", async () => {
    await putThree();
    const found = (filter: Record<string, unknown>) => {
      return ids(saver.list(config("thread"), { filter }));
    };
    expect(await found({ "a.b": 1 })).toEqual([idOf(1)]);
    expect(await found({ 'quo"te': "it's" })).toEqual([idOf(2)]);
    expect(await found({ "1) OR 1=1 --": true })).toEqual([idOf(3)]);
    expect(await found({ $: null })).toEqual([idOf(3)]);
    expect(await found({ nested: { x: 1 } })).toEqual([idOf(1)]);
    expect(await found({ tag: "b", step: 2 })).toEqual([idOf(2)]);
    expect(await found({ tag: undefined })).toHaveLength(3);
    expect(await found({ "$.tag": "b" })).toEqual([]);
    expect(await found({ "'": 1, "]": 2 })).toEqual([]);
    expect(await found({ missing: null })).toEqual([]);
  });

  test("pages_join_without_gap_or_repetition", async () => {
    const numbers = Array.from({ length: 257 }, (_, index) => index + 1);
    await Promise.all(
      numbers.map((number) => saver.put(config("long"), checkpoint(number), metadata(number), {})),
    );
    const expected = numbers.map(idOf).reverse();
    expect(await ids(saver.list(config("long")))).toEqual(expected);
    expect(await ids(saver.list(config("long"), { limit: 130 }))).toEqual(expected.slice(0, 130));
  });

  test("a_paused_list_holds_no_lock", async () => {
    await putThree();
    const tuples = saver.list(config("thread"));
    await tuples.next();
    await saver.put(config("thread", idOf(3)), checkpoint(4), metadata(4), {});
    await saver.deleteThread("other");
    expect(saver.db.inTransaction).toBe(false);
    await tuples.return(undefined);
    expect(await ids(saver.list(config("thread"), { limit: 1 }))).toEqual([idOf(4)]);
  });
});

describe("writes", () => {
  test("a_missing_namespace_is_the_root", async () => {
    await putThree();
    const rootless = { configurable: { thread_id: "thread", checkpoint_id: idOf(3) } };
    await saver.putWrites(rootless, [["n", "kept"]], "task");
    const tuple = await saver.getTuple(config("thread"));
    expect(tuple?.pendingWrites).toEqual([["task", "n", "kept"]]);
  });

  test("bytes_come_back_as_bytes", async () => {
    await putThree();
    const bytes = Uint8Array.from([255, 0, 1, 0xc3, 0x28]);
    const writes: [string, unknown][] = [
      ["n", bytes],
      ["n", { inner: bytes }],
    ];
    await saver.putWrites(config("thread", idOf(3)), writes, "task");
    const tuple = await saver.getTuple(config("thread"));
    expect(tuple?.pendingWrites).toEqual([
      ["task", "n", bytes],
      ["task", "n", { inner: bytes }],
    ]);
  });

  test("they_are_ordered_by_path_task_and_place", async () => {
    const target = config("thread", idOf(1));
    const paths = ["~__pregel_push, 0000000002", "~__pregel_push, 0000000010", "", "~a", "~Z"];
    for (const [index, path] of paths.entries()) {
      const writes: [string, unknown][] = [
        ["first", index],
        ["second", index],
      ];
      await saver.putWrites(target, writes, `task-${9 - index}`, path);
      await saver.putWrites(target, writes, `task-${index}x`, path);
    }
    await saver.put(config("thread"), checkpoint(1), metadata(1), {});
    const tuple = await saver.getTuple(target);
    const byPath = [2, 4, 0, 1, 3];
    const expected = byPath.flatMap((index) => {
      const tasks = [`task-${9 - index}`, `task-${index}x`].sort();
      return tasks.flatMap((task) => [
        [task, "first", index],
        [task, "second", index],
      ]);
    });
    expect(tuple?.pendingWrites).toEqual(expected);
  });

  test("special_writes_are_replaced_and_others_stay", async () => {
    const target = config("thread", idOf(1));
    await saver.putWrites(target, [["__resume__", "A"]], "null-task");
    await saver.putWrites(target, [["__resume__", "B"]], "null-task");
    await saver.putWrites(target, [["n", "first"]], "task");
    await saver.putWrites(target, [["n", "second"]], "task");
    await saver.putWrites(target, [], "task");
    await saver.put(config("thread"), checkpoint(1), metadata(1), {});
    expect((await saver.getTuple(target))?.pendingWrites).toEqual([
      ["null-task", "__resume__", "B"],
      ["task", "n", "first"],
    ]);
  });
});

describe("values", () => {
  test("forks_with_equal_versions_read_their_own_values", async () => {
    await saver.put(config("t"), checkpoint(1, { xs: ["in"] }, { xs: 2 }), metadata(0), { xs: 2 });
    const parent = config("t", idOf(1));
    const branches = { 2: ["in", "a"], 3: ["in", "FORK"] };
    for (const [number, xs] of Object.entries(branches)) {
      const child = checkpoint(Number(number), { xs }, { xs: 3 });
      await saver.put(parent, child, metadata(1), { xs: 3 });
    }
    for (const [number, xs] of Object.entries(branches)) {
      const tuple = await saver.getTuple(config("t", idOf(Number(number))));
      expect(tuple?.checkpoint.channel_values).toEqual({ xs });
      expect(tuple?.parentConfig).toEqual(parent);
    }
  });

  test("a_copied_checkpoint_keeps_the_values_passed", async () => {
    await saver.put(config("t"), checkpoint(1, { xs: [1] }, { xs: 1 }), metadata(0), { xs: 1 });
    const second = checkpoint(2, { xs: [1, 2] }, { xs: 2 });
    await saver.put(config("t", idOf(1)), second, metadata(1), { xs: 2 });
    const copy = checkpoint(3, { xs: [1, 2] }, { xs: 2 });
    await saver.put(config("t", idOf(1)), copy, metadata(2, { source: "fork" }), {});
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({ xs: [1, 2] });
  });

  test("what_is_changed_after_the_call_is_not_stored", async () => {
    const messages: unknown[] = ["one"];
    const stored = saver.put(config("t"), checkpoint(1, { messages }), metadata(1), {
      messages: 1,
    });
    const written: unknown[] = [1];
    const writes = saver.putWrites(config("t", idOf(1)), [["messages", written]], "task");
    messages.push("two");
    written.push(2);
    await Promise.all([stored, writes]);
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({ messages: ["one"] });
    expect(tuple?.pendingWrites).toEqual([["task", "messages", [1]]]);
  });

  test("arguments_are_left_as_they_were", async () => {
    const given = checkpoint(1, { a: { b: [1, undefined] }, gone: undefined });
    const before = structuredClone(given);
    const meta = metadata(1, { deep: { x: 1 } });
    await saver.put(config("t"), given, meta, { a: 1 });
    expect(given).toEqual(before);
    expect(meta).toEqual(metadata(1, { deep: { x: 1 } }));
  });

  test("unknown_fields_and_strange_channel_names_come_back", async () => {
    const values = Object.fromEntries([
      ["__proto__", 1],
      ["branch:to:x", null],
      ["\ufeffbom", "\ufefftext"],
      // Decoders treat long texts differently from short ones.
      [`\ufeff${"long".repeat(100)}`, 1],
      ["long".repeat(100), 2],
      ["", 0],
    ]);
    const given = { ...checkpoint(1, values), updated_channels: ["x"] };
    await saver.put(config("t"), given, metadata(1), given.channel_versions);
    expect((await saver.getTuple(config("t")))?.checkpoint).toEqual(given);
  });

  test("without_new_versions_everything_is_stored", async () => {
    await saver.put(config("t"), checkpoint(1, { a: 1, b: [2] }), metadata(1));
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({ a: 1, b: [2] });
  });

  test.each([
    ["numbers", 3],
    ["floats", 3.25],
    ["text", "00000000000000000000000000000003.0.5"],
  ])("versions_of_%s_continue_unchanged", async (_, version) => {
    const given = checkpoint(1, { a: 1 }, { a: version });
    given.versions_seen = { node: { a: version } };
    await saver.put(config("t"), given, metadata(1), { a: version });
    expect((await saver.getTuple(config("t")))?.checkpoint).toEqual(given);
  });

  test("an_asynchronous_serializer_is_awaited", async () => {
    const stock = new MemorySaver().serde;
    const custom = new SqliteSaver(saver.db, {
      dumpsTyped: async (value) => stock.dumpsTyped({ wrapped: value }),
      loadsTyped: async (type, bytes) => (await stock.loadsTyped(type, bytes)).wrapped,
    });
    await custom.put(config("t"), checkpoint(1, { a: [1, 2] }), metadata(1), { a: 1 });
    await custom.putWrites(config("t", idOf(1)), [["a", 3]], "task");
    const [tuple] = await all(custom.list(config("t")));
    expect(tuple?.checkpoint.channel_values).toEqual({ a: [1, 2] });
    expect(tuple?.metadata).toEqual(metadata(1));
    expect(tuple?.pendingWrites).toEqual([["task", "a", 3]]);
  });

  test("a_copy_into_another_thread_takes_the_versions_of_its_checkpoint", async () => {
    await saver.put(config("from"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    const found = await saver.getTuple(config("from"));
    if (found === undefined) throw new RangeError("what was put is not found");
    for (const [to, versions, values] of [
      ["without", {}, {}],
      ["with", found.checkpoint.channel_versions, { a: 1 }],
    ] as const) {
      await saver.put(config(to), found.checkpoint, metadata(1), versions);
      const copy = await saver.getTuple(config(to));
      expect(copy?.checkpoint.channel_values).toEqual(values);
    }
  });

  test("the_stock_saver_can_live_in_the_same_file", async () => {
    const stock = new StockSaver(saver.db);
    for (const one of [saver, stock]) {
      await one.put(config("t"), checkpoint(1, { by: one === saver }), metadata(1), { by: 1 });
    }
    await saver.deleteThread("t");
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    const tuple = await stock.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({ by: false });
  });

  test("a_saver_in_json_is_its_name", () => {
    expect(JSON.stringify({ saver })).toBe('{"saver":"[SqliteSaver]"}');
  });
});
