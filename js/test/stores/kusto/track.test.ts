// The cache of a saver on Kusto: unchanged parts are not sent again, and a stale cache changes
// nothing.

import { gunzipSync } from "node:zlib";

import type { KustoSaver } from "../../../src/entries/kusto.js";
import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { expectSame } from "../../support/twins.js";
import { Network } from "./support/network.js";
import { describeKusto, newTable } from "./support/target.js";

type Values = Record<string, unknown>;

function put(saver: KustoSaver | SqliteSaver, number: number, values: Values) {
  const next = checkpoint(number, values);
  const parent = config("t", number > 1 ? idOf(number - 1) : undefined);
  return saver.put(parent, next, metadata(number), next.channel_versions);
}

function messagesOf(count: number, word = "message"): { text: string }[] {
  return Array.from({ length: count }, (_, index) => ({ text: `${word} ${index} `.repeat(60) }));
}

/** The rows that were sent, as text. */
function rowsOf({ ingests }: Network): string {
  const texts = ingests.map(({ headers, body }) => {
    const plain = headers.get("content-encoding") === "gzip" ? gunzipSync(body) : body;
    return new TextDecoder().decode(plain);
  });
  return texts.join("\n");
}

describeKusto("a saver that remembers", () => {
  test.each([undefined, 0])(
    "sends_what_is_unchanged_once_with_a_cache_of_%s",
    async (cacheBytes) => {
      const table = await newTable();
      const network = new Network();
      const saver = await table.open({ cacheBytes, fetch: network.fetch });
      const messages = messagesOf(20);
      const files = { one: "file one ".repeat(200) };
      await put(saver, 1, { messages, files });
      network.sent.length = 0;
      await put(saver, 2, { messages: [...messages, { text: "the new one" }], files });
      // The whole state has ten times as many bytes.
      expect(rowsOf(network).length).toBeLessThan(2_000);
      const tuple = await (await table.open()).getTuple(config("t"));
      expect(tuple?.checkpoint.channel_values).toEqual({
        messages: [...messages, { text: "the new one" }],
        files,
      });
    },
  );

  test("gives_what_sqlite_gives_as_a_state_is_edited_in_every_place", async () => {
    const table = await newTable();
    const savers = [await table.open(), SqliteSaver.fromConnString(":memory:")] as const;
    const messages = messagesOf(30);
    const files: Record<string, string> = { a: "a".repeat(500), b: "b".repeat(500) };
    const edits: (() => void)[] = [
      () => messages.push({ text: "pushed" }),
      () => messages.splice(10, 1),
      () => messages.unshift({ text: "first" }),
      () => Object.assign(messages[5] ?? {}, { text: "changed in place" }),
      () => messages.reverse(),
      () => Object.assign(files, { a: "changed", c: "new" }),
      () => delete files.b,
      () => messages.splice(0),
      () => messages.push(...messagesOf(3, "again")),
    ];
    for (const [index, edit] of edits.entries()) {
      edit();
      for (const saver of savers) await put(saver, index + 1, { messages, files });
      const expected = await savers[1].getTuple(config("t"));
      expectSame(await savers[0].getTuple(config("t")), expected);
      expectSame(await (await table.open()).getTuple(config("t")), expected);
    }
    savers[1].close();
  });

  test("stores_whole_what_another_saver_has_deleted_in_between", async () => {
    const table = await newTable();
    const [saver, other] = [await table.open(), await table.open()];
    const messages = messagesOf(20);
    await put(saver, 1, { messages });
    await other.deleteThread("t");
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    await put(saver, 2, { messages: [...messages, { text: "after" }] });
    for (const reader of [saver, other, await table.open()]) {
      expect((await reader.getTuple(config("t")))?.checkpoint.channel_values).toEqual({
        messages: [...messages, { text: "after" }],
      });
    }
  });

  test.each([undefined, 0])(
    "puts_whole_what_another_has_deleted_with_a_cache_of_%s",
    async (cacheBytes) => {
      const table = await newTable();
      const [saver, other] = [await table.open({ cacheBytes }), await table.open()];
      const messages = messagesOf(20);
      await put(saver, 1, { messages });
      await other.deleteThread("t");
      // The first saver has not seen the deletion.
      await put(saver, 2, { messages });
      const tuple = await (await table.open()).getTuple(config("t"));
      expect(tuple?.checkpoint).toMatchObject({ id: idOf(2), channel_values: { messages } });
      expect(await all((await table.open()).list(config("t")))).toHaveLength(1);
    },
  );

  test("reads_what_another_saver_has_put_in_between", async () => {
    const table = await newTable();
    const [saver, other] = [await table.open(), await table.open()];
    const messages = messagesOf(20);
    await put(saver, 1, { messages });
    await other.getTuple(config("t"));
    await put(other, 2, { messages: [...messages, { text: "theirs" }] });
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint).toMatchObject({ id: idOf(2) });
    expect(tuple?.checkpoint.channel_values).toEqual({
      messages: [...messages, { text: "theirs" }],
    });
  });
});
