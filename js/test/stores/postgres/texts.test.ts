// Texts that a database could take for something else: nothing but equality matches, and what is
// stored comes back as it was.

import { all, checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { newSchema, target } from "./support/target.js";

/** PGlite refuses it. */
const MARKED = "\u{feff}marked";

const HOSTILE = [
  "'; DROP TABLE lg_threads; --",
  'a"b',
  "back\\slash \\x41 {1,2} %s $1 ?1",
  '{"a",NULL}',
  "NULL",
  "null",
  ...(target.route === "pglite" ? [] : [MARKED]),
  "line\nbreak\ttab\u{7f}",
  "\u{dc}n\u{ef}c\u{f6}d\u{e9} \u{1f600} e\u{301}",
  "a",
  "A",
  "\u{e1}",
  " a",
  "a ",
];

test("hostile_ids_are_only_equal_to_themselves", async () => {
  const saver = newSchema().open();
  for (const [number, text] of HOSTILE.entries()) {
    const stored = checkpoint(number + 1, { [text]: text });
    await saver.put(config(text, undefined, text), stored, metadata(1, { [text]: text }), {
      [text]: 1,
    });
    await saver.putWrites(config(text, stored.id, text), [[text, text]], text, text);
  }
  for (const [number, text] of HOSTILE.entries()) {
    const tuple = await saver.getTuple(config(text, undefined, text));
    expect(tuple?.checkpoint.channel_values).toStrictEqual({ [text]: text });
    expect(tuple?.pendingWrites).toStrictEqual([[text, text, text]]);
    const matching = saver.list({ configurable: {} }, { filter: { [text]: text } });
    expect(await ids(matching)).toStrictEqual([idOf(number + 1)]);
    const seed = await saver.getDeltaChannelHistory({
      config: config(text, undefined, text),
      channels: [text],
    });
    expect(Object.keys(seed)).toStrictEqual([text]);
  }
  expect(await all(saver.list({ configurable: {} }))).toHaveLength(HOSTILE.length);
  await saver.deleteThread("a");
  expect(await all(saver.list({ configurable: {} }))).toHaveLength(HOSTILE.length - 1);
});

const ODD = { nul: "a\0b", lone: "\ud800 and \udc00", deep: [{ "\0": "\ud83d" }] };

test("values_and_metadata_keep_what_postgresql_refuses_in_text", async () => {
  const saver = newSchema().open();
  const values = { ...ODD, long: `${"\0".repeat(300)}\ud800` };
  const stored = checkpoint(1, values);
  const more = { nul: "a\0b", "key\0": "\ud800" };
  await saver.put(config("t"), stored, metadata(1, more), stored.channel_versions);
  await saver.putWrites(config("t", idOf(1)), [["nul", ODD]], "task");
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toStrictEqual(values);
  expect(tuple?.metadata).toStrictEqual(metadata(1, more));
  expect(tuple?.pendingWrites).toStrictEqual([["task", "nul", ODD]]);
  for (const [filter, count] of [
    [{ nul: "a\0b" }, 1],
    [{ nul: "ab" }, 0],
    [{ "key\0": "\ud800" }, 1],
    [{ "key\0": "\udc00" }, 0],
  ] as const) {
    expect(await all(saver.list(config("t"), { filter }))).toHaveLength(count);
  }
});

test.each([
  ["thread_id", { thread_id: "a\0b" }],
  ["checkpoint_ns", { thread_id: "t", checkpoint_ns: "a\0b" }],
  ["checkpoint_id", { thread_id: "t", checkpoint_id: "\ud800" }],
])("half_a_character_or_a_zero_in_%s_is_refused", async (_, configurable) => {
  const saver = newSchema().open();
  const put = saver.put({ configurable }, checkpoint(1), metadata(1), {});
  await expect(put).rejects.toMatchObject({ code: "invalid-id" });
});

test("ids_are_ordered_by_their_bytes_whatever_the_databases_collation", async () => {
  const saver = newSchema().open();
  const order = ["A", "B", "Z", "_", "a", "b", "z", "\u{e4}", "\u{1f600}"];
  for (const id of [...order].reverse()) {
    const stored = { ...checkpoint(1), id };
    await saver.put(config("t"), stored, metadata(1), {});
  }
  expect(await ids(saver.list(config("t")))).toStrictEqual([...order].reverse());
  const before = { configurable: { checkpoint_id: "a" } };
  expect(await ids(saver.list(config("t"), { before }))).toStrictEqual(["_", "Z", "B", "A"]);
  expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe("\u{1f600}");
});

test.runIf(target.route === "pglite")("a_mark_that_pglite_would_lose_is_refused", async () => {
  const saver = newSchema().open();
  await expect(saver.put(config(MARKED), checkpoint(1), metadata(1), {})).rejects.toMatchObject({
    code: "invalid-id",
  });
  const writes: [string, unknown][] = [[MARKED, 1]];
  await expect(saver.putWrites(config("t", idOf(1)), writes, "task")).rejects.toMatchObject({
    code: "invalid-id",
  });
  expect(await all(saver.list({ configurable: {} }))).toHaveLength(0);
});

const testOfSessions = test.skipIf(target.route === "pglite");

testOfSessions("bytes_come_back_whatever_the_sessions_settings_are", async () => {
  const schema = newSchema();
  const url = new URL(schema.urlOf("postgres"));
  url.searchParams.set("options", "-c bytea_output=escape -c standard_conforming_strings=off");
  const saver = schema.open({}, url.href);
  const bytes = Uint8Array.from({ length: 2000 }, (_, at) => (at * 7) % 256);
  const stored = checkpoint(1, { bytes });
  await saver.put(config("t"), stored, metadata(1), stored.channel_versions);
  for (const reader of [saver, schema.open()]) {
    const tuple = await reader.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values.bytes).toStrictEqual(bytes);
  }
});
