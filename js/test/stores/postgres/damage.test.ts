// Rows that were damaged behind the saver's back are reported, never read as something else. Damage
// in the columns that only speed a read up changes nothing.

import { checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { newSchema, type Schema } from "./support/target.js";

const LONG = "long enough for a chunk of its own ".repeat(8);
const VALUES = {
  messages: Array.from({ length: 400 }, (_, at) => `${LONG}${at}`),
  nested: { inside: { list: Array.from({ length: 400 }, (_, at) => `${at} ${LONG}`) } },
};

/** A thread with two checkpoints and a write. */
async function stored(): Promise<Schema> {
  const schema = newSchema();
  const saver = schema.open();
  for (const number of [1, 2]) {
    const next = checkpoint(number, { ...VALUES, number });
    const parent = number === 1 ? undefined : idOf(1);
    await saver.put(config("t", parent), next, metadata(number), next.channel_versions);
  }
  await saver.putWrites(config("t", idOf(2)), [["messages", LONG]], "task");
  return schema;
}

async function read(schema: Schema): Promise<unknown> {
  try {
    return (await schema.open().getTuple(config("t")))?.checkpoint.channel_values;
  } catch (thrown) {
    return Reflect.get(Object(thrown), "code");
  }
}

test.each([
  ["references of a record are missing", "UPDATE $schema.lg_records SET refs = NULL"],
  [
    "references of a record are others",
    "UPDATE $schema.lg_records SET refs = ARRAY['\\x00'::bytea]",
  ],
  ["references of chunks are missing", "UPDATE $schema.lg_chunks SET refs = NULL"],
  [
    "references of chunks go round in circles",
    "UPDATE $schema.lg_chunks c SET refs = (SELECT string_agg(o.hash, ''::bytea) " +
      "FROM (SELECT hash FROM $schema.lg_chunks ORDER BY hash LIMIT 5) o)",
  ],
  ["terms are missing", "UPDATE $schema.lg_records SET terms = NULL"],
])("if_%s_the_values_are_the_same", async (_, damage) => {
  const schema = await stored();
  await schema.rows(damage);
  expect(await read(schema)).toStrictEqual({ ...VALUES, number: 2 });
});

test.each([
  ["missing-chunk", "DELETE FROM $schema.lg_chunks WHERE octet_length(data) > 1000"],
  ["damaged-chunk", "UPDATE $schema.lg_chunks SET data = data || '\\x00'"],
  ["damaged-envelope", "UPDATE $schema.lg_records SET metadata = '\\x7b7d' WHERE task_id = ''"],
  ["damaged-envelope", "UPDATE $schema.lg_records SET task_path = 'x' WHERE task_id <> ''"],
  ["damaged-envelope", "UPDATE $schema.lg_records SET envelope = '' WHERE task_id = ''"],
  ["damaged-envelope", "UPDATE $schema.lg_records SET channels = '[]' WHERE task_id = ''"],
  ["unexpected-column", "UPDATE $schema.lg_records SET idx = 7 WHERE task_id = ''"],
  ["unexpected-column", "UPDATE $schema.lg_records SET metadata = NULL WHERE task_id = ''"],
  ["missing-format", "DELETE FROM $schema.lg_format"],
  ["newer-format", "UPDATE $schema.lg_format SET format = 2"],
])("%s_is_reported_after_%s", async (code, damage) => {
  const schema = await stored();
  await schema.rows(damage);
  expect(await read(schema)).toBe(code);
});

test("a_page_of_more_bytes_than_fit_is_listed_whole", async () => {
  const schema = newSchema();
  const saver = schema.open();
  const valuesOf = (number: number) => {
    return { text: Array.from({ length: 300 }, (_, at) => `${number} ${at} ${LONG.repeat(40)}`) };
  };
  for (let number = 1; number <= 5; number += 1) {
    const next = checkpoint(number, valuesOf(number));
    await saver.put(config("t"), next, metadata(number), next.channel_versions);
  }
  let number = 5;
  for await (const tuple of schema.open().list(config("t"))) {
    expect(tuple.checkpoint.channel_values).toStrictEqual(valuesOf(number));
    number -= 1;
  }
  expect(number).toBe(0);
});
