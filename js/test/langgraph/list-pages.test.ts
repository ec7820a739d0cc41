// The values of a page are spans of bytes that its tuples share.

import type { CheckpointTuple } from "@langchain/langgraph-checkpoint";

import { JsonPlusSerde } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { expectSame } from "../support/twins.js";

type Values = Record<string, unknown>;

/** Different bytes at each length of a text, in one, two, three and four bytes a character. */
const SCRIPTS = ["plain ", "gr\u00fc\u00dfe ", "\u4f60\u597d ", "\u{1f600}\ufeff", "\u0000\u2028"];

function text(index: number, script: number): string {
  return `${index} ${SCRIPTS[script % SCRIPTS.length]?.repeat(1 + (index % 90))}`;
}

/** A chat that grows and is changed, with other kinds of values beside it. */
function steps(count: number, scripts: readonly number[]): Values[] {
  const messages: unknown[] = [];
  const files: Values = {};
  return Array.from({ length: count }, (_, index) => {
    const script = scripts[index % scripts.length] ?? 0;
    messages.push({ index, text: text(index, script) });
    if (index % 11 === 5) messages.splice(index % 7, 1, { changed: text(index, script) });
    files[`file ${index % 9} ${SCRIPTS[script]}`] = text(index, script);
    return {
      messages: structuredClone(messages),
      files: structuredClone(files),
      bytes: Uint8Array.from({ length: index * 40 }, (_, at) => (at * index) % 256),
      "n\u00fcmber": index,
      text: text(index * 50, script),
      none: undefined,
    };
  });
}

async function filled(values: readonly Values[], serde?: JsonPlusSerde): Promise<SqliteSaver> {
  const saver = SqliteSaver.fromConnString(":memory:", { serde });
  onTestFinished(() => saver.close());
  for (const [index, one] of values.entries()) {
    const next = checkpoint(index + 1, one);
    const parent = config("t", index > 0 ? idOf(index) : undefined);
    await saver.put(parent, next, metadata(index), next.channel_versions);
  }
  return saver;
}

/** All objects in a value. */
function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== "object" || value === null || found.has(value)) return found;
  found.add(value);
  for (const nested of Object.values(value)) objectsIn(nested, found);
  return found;
}

describe.each([
  ["in_ASCII_alone", [0]],
  ["in_other_scripts", [1, 2, 3, 4]],
  ["in_every_script_and_ASCII", [0, 0, 1, 0, 2, 0, 3, 4]],
])("values_%s", (_, scripts) => {
  test("are_the_same_in_a_list_as_by_id", async () => {
    const values = steps(150, scripts);
    const saver = await filled(values);
    const tuples = await all(saver.list(config("t")));
    expect(tuples).toHaveLength(150);
    for (const [index, tuple] of tuples.reverse().entries()) {
      expectSame(tuple.checkpoint.channel_values, values[index], `the values of ${index}`);
      expectSame(await saver.getTuple(config("t", idOf(index + 1))), tuple, `tuple ${index}`);
    }
  });

  test("are_the_same_with_a_serializer_that_reads_whole_values", async () => {
    class Own extends JsonPlusSerde {
      override loads(kind: string, data: Uint8Array | string): unknown {
        return super.loads(kind, data);
      }
    }
    const values = steps(12, scripts);
    const tuples = await all((await filled(values, new Own())).list(config("t")));
    const read = tuples.reverse().map((tuple) => tuple.checkpoint.channel_values);
    expectSame(read, values);
  });

  test("belong_to_one_tuple_each", async () => {
    const saver = await filled(steps(20, scripts));
    const read = async (): Promise<CheckpointTuple[]> => {
      const newest = await saver.getTuple(config("t"));
      return [...(newest === undefined ? [] : [newest]), ...(await all(saver.list(config("t"))))];
    };
    const tuples = [...(await read()), ...(await read())];
    const seen = new Set<object>();
    for (const tuple of tuples) {
      const own = objectsIn(tuple);
      for (const object of own) expect(seen.has(object)).toBe(false);
      for (const object of own) seen.add(object);
    }
    expect(seen.size).toBeGreaterThan(1_000);
  });
});

test("what_is_done_to_what_was_returned_is_neither_stored_nor_given_again", async () => {
  const values = steps(30, [0, 1]);
  const saver = await filled(values);
  const spoil = (tuple: CheckpointTuple | undefined) => {
    for (const object of objectsIn(tuple)) {
      for (const key of Object.keys(object)) Reflect.set(object, key, 0);
      if (Array.isArray(object)) object.push("spoiled");
    }
  };
  for (let round = 0; round < 2; round += 1) {
    for (const number of [30, 30, 12]) {
      const tuple = await saver.getTuple(config("t", idOf(number)));
      expectSame(tuple?.checkpoint.channel_values, values[number - 1]);
      expectSame(tuple?.metadata, metadata(number - 1));
      spoil(tuple);
    }
    const tuples = await all(saver.list(config("t")));
    const read = tuples.map((tuple) => tuple.checkpoint.channel_values).reverse();
    expectSame(read, values);
    tuples.forEach(spoil);
  }
});
