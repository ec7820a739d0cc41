// Ids, names and filters with special characters of KQL, JSON paths or URLs: each is stored, is
// found by equality, and matches nothing else.

import type { CheckpointTuple } from "@langchain/langgraph-checkpoint";

import { InvalidInputError } from "../../../src/entries/index.js";
import type { KustoSaver } from "../../../src/entries/kusto.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { describeKusto, newTable } from "./support/target.js";

const HOSTILE = [
  "'",
  '"',
  "''",
  "\\",
  '\\"',
  "it's",
  '"; CheckpointLog | take 10 //',
  "' or 1 == 1 or '' == '",
  'x" | where true //',
  ".drop table CheckpointLog",
  ";",
  "// a comment",
  "/* a comment */",
  "```",
  '@"verbatim"',
  'h"hidden"',
  "dynamic([])",
  "datetime(2027-01-01)",
  "2027-01-01T00:00:00Z",
  "0007",
  "1e3",
  "true",
  "null",
  "$.thread_id",
  "$['thread_id']",
  "*",
  "a.b",
  "a|b",
  "a,b",
  "[a]",
  "{}",
  "%22%00",
  "?a=b&c=d#e",
  "../../mgmt",
  " a ",
  "a\tb",
  "a\nb",
  "a\r\nb",
  "\u0001\u001f\u007f",
  "\u0085\u2028\u2029",
  "\ufeffa",
  "\u202eabc",
  "e\u0301",
  "\u00e9",
  "\u{1f600}",
  "A",
  "a",
];

const CHECKPOINTS = HOSTILE.length;

/** Puts a checkpoint whose ids and names are all this text, and a write. */
async function put(saver: KustoSaver, text: string): Promise<void> {
  const next = { ...checkpoint(1, { [text]: text }), id: text };
  const more = { [text]: text, text };
  await saver.put(config(text, undefined, text), next, metadata(1, more), { [text]: 1 });
  await saver.putWrites(config(text, text, text), [[text, text]], text, text);
}

/**
 * Fills a table with a checkpoint for each hostile text, and returns a saver without a cache of it.
 */
async function filled(): Promise<KustoSaver> {
  const table = await newTable();
  const saver = await table.open({ batchSize: 10_000 });
  for (const text of HOSTILE) await put(saver, text);
  await saver.close();
  return table.open({ cacheBytes: 0 });
}

function threadsOf(tuples: readonly CheckpointTuple[]): unknown[] {
  return tuples.map(({ config }) => config.configurable?.thread_id);
}

describeKusto("hostile text", () => {
  test("in_ids_and_names_is_stored_and_names_what_is_equal_alone", async () => {
    const saver = await filled();
    for (const text of HOSTILE) {
      const tuple = await saver.getTuple(config(text, undefined, text));
      expect(tuple?.config.configurable).toEqual({
        thread_id: text,
        checkpoint_ns: text,
        checkpoint_id: text,
      });
      expect(tuple?.checkpoint.channel_values).toEqual({ [text]: text });
      expect(tuple?.metadata).toMatchObject({ [text]: text });
      expect(tuple?.pendingWrites).toEqual([[text, text, text]]);
      expect(threadsOf(await all(saver.list(config(text, undefined, text))))).toEqual([text]);
    }
    expect(await all(saver.list({}))).toHaveLength(CHECKPOINTS);
  });

  test("in_a_filter_matches_what_is_equal_alone", async () => {
    const saver = await filled();
    for (const text of HOSTILE) {
      const tuples = await all(saver.list({}, { filter: { [text]: text } }));
      expect(threadsOf(tuples)).toEqual([text]);
    }
    expect(await all(saver.list({}, { filter: { text: "no such text" } }))).toEqual([]);
  });

  test("in_the_id_of_a_deleted_thread_deletes_that_thread_alone", async () => {
    const saver = await filled();
    const deleted = HOSTILE.filter((_, index) => index % 2 === 0);
    for (const text of deleted) await saver.deleteThread(text);
    const left = HOSTILE.filter((text) => !deleted.includes(text));
    expect(threadsOf(await all(saver.list({}))).sort()).toEqual(left.sort());
  });

  test("with_a_null_character_is_refused_in_ids_and_kept_in_values", async () => {
    const saver = await (await newTable()).open({ cacheBytes: 0 });
    const next = checkpoint(1, { text: "a\0b" });
    await expect(saver.put(config("a\0b"), next, metadata(1), {})).rejects.toBeInstanceOf(
      InvalidInputError,
    );
    await saver.put(config("t"), next, metadata(1, { note: "c\0d" }), { text: 1 });
    await saver.putWrites(config("t", idOf(1)), [["text", "e\0f"]], "task");
    expect(await saver.getTuple(config("t"))).toMatchObject({
      checkpoint: { channel_values: { text: "a\0b" } },
      metadata: { note: "c\0d" },
      pendingWrites: [["task", "text", "e\0f"]],
    });
  });
});
