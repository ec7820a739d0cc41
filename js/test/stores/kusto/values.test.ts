// Values that are large, binary, or many.

import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { expectSame } from "../../support/twins.js";
import { Network } from "./support/network.js";
import { describeKusto, newTable } from "./support/target.js";

/** Text that does not compress well. */
function prose(length: number): string {
  let state = 1;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

const MB = 1_000_000;
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

describeKusto("a value", () => {
  const values: [string, () => unknown][] = [
    ["of_1.2_MB_of_text", () => prose(1.2 * MB)],
    ["of_4.5_MB_of_text", () => prose(4.5 * MB)],
    ["of_1.2_MB_beyond_ASCII", () => "gr\u{fc}\u{df}e \u{1f600} ".repeat(70_000)],
    ["of_every_byte", () => everyByte],
    ["of_2_MB_of_bytes", () => Uint8Array.from({ length: 2 * MB }, (_, index) => index * 7)],
    ["that_is_empty", () => ""],
    ["of_no_bytes", () => new Uint8Array()],
    ["of_null_characters", () => "\0".repeat(1000)],
    ["of_line_separators_and_quotes", () => '\u2028\u2029"\\\r\n'.repeat(1000)],
  ];

  test.each(values)("%s_comes_back_as_it_was", async (_, make) => {
    const table = await newTable();
    const value = make();
    const saver = await table.open();
    await saver.put(config("t"), checkpoint(1, { value }), metadata(1), { value: 1 });
    await saver.putWrites(config("t", idOf(1)), [["value", value]], "task");
    for (const reader of [saver, await table.open()]) {
      const tuple = await reader.getTuple(config("t"));
      expectSame(tuple?.checkpoint.channel_values.value, value);
      expectSame(tuple?.pendingWrites, [["task", "value", value]]);
    }
  });

  test("in_metadata_that_is_large_comes_back_as_it_was", async () => {
    const table = await newTable();
    const saver = await table.open();
    const note = prose(1.2 * MB);
    await saver.put(config("t"), checkpoint(1, {}), metadata(1, { note }), {});
    expect((await (await table.open()).getTuple(config("t")))?.metadata).toMatchObject({ note });
  });
});

describeKusto("a state", () => {
  test("of_20_MB_comes_back_and_what_is_added_to_it_is_all_that_is_sent", async () => {
    const table = await newTable();
    const network = new Network();
    const saver = await table.open({ fetch: network.fetch });
    const messages = Array.from({ length: 200 }, (_, index) => `${index} ${prose(100_000)}`);
    await saver.put(config("t"), checkpoint(1, { messages }), metadata(1), { messages: 1 });
    const before = network.sent.length;
    const grown = [...messages, "one more"];
    const next = checkpoint(2, { messages: grown });
    await saver.put(config("t", idOf(1)), next, metadata(2), { messages: 2 });
    const sent = network.sent.slice(before).reduce((sum, { body }) => sum + body.length, 0);
    expect(sent).toBeLessThan(100_000);
    const tuple = await (await table.open()).getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values.messages).toEqual(grown);
  });
});

describeKusto("a thread", () => {
  test("of_10,000_checkpoints_is_read_and_listed", async () => {
    const table = await newTable();
    const count = 10_000;
    const saver = await table.open({ batchSize: 2_000 });
    for (let number = 1; number <= count; number += 1) {
      const parent = config("t", number > 1 ? idOf(number - 1) : undefined);
      await saver.put(parent, checkpoint(number, { number }), metadata(number), { number });
    }
    await saver.close();
    const reader = await table.open({ cacheBytes: 0 });
    expect((await reader.getTuple(config("t")))?.checkpoint.id).toBe(idOf(count));
    expect((await reader.getTuple(config("t", idOf(77))))?.checkpoint.channel_values).toEqual({
      number: 77,
    });
    const some = await all(reader.list(config("t"), { limit: 3, before: config("t", idOf(5000)) }));
    expect(some.map(({ checkpoint }) => checkpoint.id)).toEqual([4999, 4998, 4997].map(idOf));
    const found = await all(reader.list(config("t")));
    expect(found.map(({ checkpoint: { id } }) => id)).toEqual(
      Array.from({ length: count }, (_, index) => idOf(count - index)),
    );
  });
});
