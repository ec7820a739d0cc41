// A filter of `list` compares values as JSON.

import { MemorySaver } from "@langchain/langgraph-checkpoint";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { all, checkpoint, config, metadata } from "../support/checkpoints.js";

const date = new Date(5);

describe.each([
  ["its own serializer", undefined],
  ["the one of LangGraph", new MemorySaver().serde],
])("with %s", (_, serde) => {
  test.each<[string, object, Record<string, unknown>, boolean]>([
    ["a_Date_by_itself", { at: date }, { at: date }, true],
    ["a_Date_by_its_text", { at: date }, { at: date.toISOString() }, true],
    ["a_text_by_the_Date_of_it", { at: date.toISOString() }, { at: new Date(5) }, true],
    ["no_other_Date", { at: date }, { at: new Date(6) }, false],
    ["zero_by_minus_zero", { n: 0 }, { n: -0 }, true],
    ["minus_zero_by_zero", { n: -0 }, { n: 0 }, true],
    ["minus_zero_by_itself", { n: -0 }, { n: -0 }, true],
    ["no_other_number", { n: -0 }, { n: -1 }, false],
  ])("a_filter_finds_%s", async (_, more, filter, isFound) => {
    const saver = SqliteSaver.fromConnString(":memory:", { serde });
    onTestFinished(() => saver.close());
    await saver.put(config("t"), checkpoint(1), metadata(1, more), {});
    expect(await all(saver.list(config("t"), { filter }))).toHaveLength(isFound ? 1 : 0);
  });
});

test("metadata_comes_back_as_it_was_put", async () => {
  const saver = SqliteSaver.fromConnString(":memory:");
  onTestFinished(() => saver.close());
  const given = metadata(1, { at: date, n: -0, deep: { at: date } });
  await saver.put(config("t"), checkpoint(1), given, {});
  expect(given).toEqual(metadata(1, { at: date, n: -0, deep: { at: date } }));
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.metadata).toEqual(given);
});
