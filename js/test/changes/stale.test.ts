// The cache may be stale or out of order. What is stored must be right anyway.

import Database from "better-sqlite3";
import { StorageSaver } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { BetterSqlite3Connection } from "../../src/stores/sqlite/better-sqlite3.js";
import { CommitQueue } from "../../src/stores/sqlite/commit-queue.js";
import { checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { GatedStorage } from "../support/gates.js";
import { expectSameRows, freshOn, Twins } from "../support/twins.js";

type Values = Record<string, unknown>;

/** A saver whose storage answers when told to, and a second saver on the same database. */
function gated(cacheBytes?: number) {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  const queue = new CommitQueue(new BetterSqlite3Connection(db), { busyDeadlineMs: 1000 });
  const storage = new GatedStorage(queue);
  const saver = new StorageSaver(storage, undefined, { cacheBytes });
  return { db, storage, saver, reader: new SqliteSaver(db, undefined, { cacheBytes: 0 }) };
}

function put(saver: StorageSaver, number: number, values: Values, parent = number - 1) {
  const next = checkpoint(number, values);
  const at = config("t", parent > 0 ? idOf(parent) : undefined);
  return saver.put(at, next, metadata(number), next.channel_versions);
}

async function valuesAt(saver: StorageSaver, number: number): Promise<Values | undefined> {
  const tuple = await saver.getTuple(config("t", idOf(number)));
  return tuple?.checkpoint.channel_values;
}

const item = (index: number) => ({ index, text: `item ${index} `.repeat(20) });
const list = (count: number) => Array.from({ length: count }, (_, index) => item(index));

describe("a_thread_that_another_saver_deleted", () => {
  test.each([1, 3, 80])("is_stored_whole_again_with_a_list_of_%i", async (count) => {
    const twins = new Twins();
    const values: Values = { list: list(count), map: { k: list(2) }, text: "t", n: 0 };
    await twins.put(values);
    const [other, another] = [freshOn(twins.remembering), freshOn(twins.forgetful)];
    for (const makesItAnew of [false, true, false]) {
      for (const saver of [other, another]) {
        await saver.deleteThread("t");
        if (makesItAnew) await put(saver, 90, { list: ["theirs"] });
      }
      Object.assign(values, { n: Number(values.n) + 1 });
      (values.list as unknown[]).push(item(count + Number(values.n)));
      await twins.put(values);
      const tuple = await twins.expectSame(config("t", idOf(Number(values.n) + 1)));
      expect(tuple?.checkpoint.channel_values).toEqual(values);
    }
  });

  test("loses_no_channel_to_a_put_that_names_neither_it_nor_a_parent", async () => {
    const { remembering } = new Twins();
    const values = { list: list(60), text: "t" };
    const at = { configurable: { thread_id: "t", checkpoint_ns: "" } };
    const first = checkpoint(1, values);
    await remembering.put(at, first, metadata(1), first.channel_versions);
    await freshOn(remembering).deleteThread("t");
    values.list.push(item(60));
    const { text: version = 1 } = first.channel_versions;
    await remembering.put(at, checkpoint(2, values), metadata(2), { text: version });
    expect(await valuesAt(freshOn(remembering), 2)).toEqual(values);
  });

  test("is_not_given_from_memory", async () => {
    const { remembering } = new Twins();
    await put(remembering, 1, { list: list(4) });
    await freshOn(remembering).deleteThread("t");
    expect(await remembering.getTuple(config("t"))).toBeUndefined();
    await put(freshOn(remembering), 1, { list: ["theirs"] });
    expect(await valuesAt(remembering, 1)).toEqual({ list: ["theirs"] });
  });

  test("is_stored_as_it_was_at_the_time_of_the_call", async () => {
    const { storage, saver, reader } = gated();
    const items = list(60);
    const map: Values = { a: { deep: [1] }, b: "b" };
    await put(saver, 1, { items, map });
    await reader.deleteThread("t");
    items.push(item(60));
    Object.assign(items[3] ?? {}, { text: "changed before" });
    const expected = structuredClone({ items, map });
    storage.holding = true;
    const stored = put(saver, 2, { items, map });
    items.splice(0, 10);
    Object.assign(items[30] ?? {}, { text: "changed after" });
    Object.assign(map.a as object, { deep: "after" });
    storage.holding = false;
    storage.release(0);
    await stored;
    expect(await valuesAt(reader, 2)).toEqual(expected);
    await put(saver, 3, { items, map });
    expect(await valuesAt(reader, 3)).toEqual({ items, map });
    expect(await valuesAt(saver, 3)).toEqual({ items, map });
  });
});

test("an_edit_that_waits_stores_what_was_there_at_the_call", async () => {
  const { storage, saver, reader } = gated();
  const items = list(60);
  await put(saver, 1, { items });
  items[20] = { index: -1, text: "at the call" };
  const expected = structuredClone(items);
  storage.holding = true;
  const stored = put(saver, 2, { items });
  Object.assign(items[20], { text: "after the call" });
  items.reverse();
  storage.holding = false;
  storage.release(0);
  await stored;
  expect(await valuesAt(reader, 2)).toEqual({ items: expected });
  expect(await valuesAt(saver, 2)).toEqual({ items: expected });
  await put(saver, 3, { items });
  expect(await valuesAt(reader, 3)).toEqual({ items });
});

describe.each([undefined, 0, 3_000])("with_a_cache_of_%s_bytes", (cacheBytes) => {
  test("puts_of_one_thread_that_wait_for_one_another_store_right_values", async () => {
    const { storage, saver, reader } = gated(cacheBytes);
    const items = list(50);
    await put(saver, 1, { items, n: 1 });
    const versions: unknown[] = [];
    storage.holding = true;
    const puts = [2, 3, 4].map((number) => {
      items.splice(number * 5, 2, item(100 * number));
      versions[number] = structuredClone(items);
      return put(saver, number, { items, n: number }, 1);
    });
    storage.holding = false;
    storage.release(0);
    expect(() => storage.release(0)).toThrow("no answer 0 is held back");
    await Promise.all(puts);
    items.push(item(7));
    versions[5] = structuredClone(items);
    await put(saver, 5, { items, n: 5 }, 3);
    for (const number of [2, 3, 4, 5]) {
      const expected = { items: versions[number], n: number };
      expect(await valuesAt(reader, number)).toEqual(expected);
      expect(await valuesAt(saver, number)).toEqual(expected);
    }
  });

  test("a_failed_put_leaves_no_trace_in_what_is_remembered", async () => {
    const { db, storage, saver, reader } = gated(cacheBytes);
    const unbroken = gated(cacheBytes);
    const values: Values = { items: list(50), map: { a: 1 } };
    const change = (number: number) => {
      (values.items as unknown[]).splice(number, 1, item(number * 100));
      Object.assign(values.map ?? {}, { [`k${number}`]: number });
    };
    for (let number = 1; number < 8; number += 1) {
      change(number);
      if (number % 2 === 0) {
        storage.failing = new Error("the disk is gone");
        await expect(put(saver, number, values)).rejects.toMatchObject({
          code: "adapter-failed",
          cause: storage.failing,
        });
        storage.failing = undefined;
      } else {
        await put(saver, number, values);
        await put(unbroken.saver, number, values);
        expect(await valuesAt(reader, number)).toEqual(values);
        expect(await valuesAt(saver, number)).toEqual(values);
      }
    }
    expectSameRows(new SqliteSaver(db), new SqliteSaver(unbroken.db));
  });

  test("a_value_that_cannot_be_written_leaves_the_thread_as_it_was", async () => {
    const { saver, reader } = gated(cacheBytes);
    const items: unknown[] = list(20);
    await put(saver, 1, { items });
    const cycle: Values = {};
    cycle.self = cycle;
    items.push(cycle);
    await expect(put(saver, 2, { items })).rejects.toMatchObject({ code: "cyclic-value" });
    expect(await valuesAt(saver, 2)).toBeUndefined();
    items.pop();
    items.push("again");
    await put(saver, 2, { items });
    expect(await valuesAt(reader, 2)).toEqual({ items });
  });

  test("a_put_that_waits_for_a_read_stores_what_was_there_at_its_call", async () => {
    const { storage, saver, reader } = gated(cacheBytes);
    const items = list(30);
    await put(saver, 1, { items });
    storage.holding = true;
    const read = saver.getTuple(config("t"));
    items.push(item(30));
    const stored = put(saver, 2, { items });
    items.unshift(item(-1));
    storage.holding = false;
    storage.release(0);
    expect((await read)?.checkpoint.channel_values).toEqual({ items: list(30) });
    await stored;
    expect(await valuesAt(reader, 2)).toEqual({ items: list(31) });
    await put(saver, 3, { items });
    expect(await valuesAt(reader, 3)).toEqual({ items });
    expect(await valuesAt(saver, 3)).toEqual({ items });
  });
});
