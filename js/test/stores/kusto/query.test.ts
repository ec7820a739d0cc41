// Queries to Kusto ask for everything that may match, and no more than is needed.

import { all, checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { Network } from "./support/network.js";
import { describeKusto, describeLocal, newTable, type Table } from "./support/target.js";

/** Puts many checkpoints in few requests. The values and metadata of each are by its number. */
async function fill(
  table: Table,
  thread: string,
  count: number,
  of: (number: number) => [values: Record<string, unknown>, metadata: Record<string, unknown>],
): Promise<void> {
  const saver = await table.open({ batchSize: 1_000_000, flushInterval: 3600 });
  for (let number = 1; number <= count; number += 1) {
    const [values, more] = of(number);
    const parent = number === 1 ? config(thread) : config(thread, idOf(number - 1));
    const versions = Object.fromEntries(Object.keys(values).map((name) => [name, number]));
    await saver.put(parent, checkpoint(number, values), metadata(number, more), versions);
  }
  await saver.close();
}

/** The result of a call on a saver without a cache, and the requests that it takes. */
async function cold<T>(table: Table, call: (saver: Awaited<ReturnType<Table["open"]>>) => T) {
  const network = new Network();
  const saver = await table.open({ fetch: network.fetch });
  const found = await call(saver);
  return { found, requests: network.sent.length };
}

describeKusto("a metadata filter", () => {
  test("finds_the_one_checkpoint_of_3000_in_one_request", async () => {
    const table = await newTable();
    await fill(table, "t", 3000, (number) => [{}, { user_id: number === 7 ? "ada" : "bob" }]);
    const filter = { user_id: "ada" };
    for (const where of [config("t"), {}]) {
      const { found, requests } = await cold(table, (saver) =>
        all(saver.list(where, { filter, limit: 1 })),
      );
      expect(found.map((tuple) => tuple.checkpoint.id)).toEqual([idOf(7)]);
      expect(requests).toBe(1);
    }
    const { requests } = await cold(table, (saver) =>
      all(saver.list(config("t"), { filter: { ...filter, step: 7, source: "loop" } })),
    );
    expect(requests).toBe(1);
  });

  test("gives_what_is_equal_whatever_keys_and_values_are_like", async () => {
    const table = await newTable();
    const keys = [
      "plain",
      "a.b",
      'a"b',
      "a'b",
      "a\\b",
      "[0]",
      "$",
      "*",
      "a b",
      "\u{e9}\u{1f600}",
      "0",
    ];
    const values: unknown[] = ["x", "X", "", "5", 5, 5.5, -5, 0, 1e21, 9007199254740992, 0.1];
    values.push(true, false, null, "true", "null", "2026-01-01", "12:00:00", "1e3", 1000);
    values.push("74be27de-1e4e-49d9-b579-fe0b331d3642", '"\\', "\0", "\n", "\u{1f600}");
    values.push([1], { a: 1 }, [], {});
    const stored = [
      ...values.map((value) => ({ plain: value })),
      ...keys.map((key) => ({ [key]: "x" })),
      // A lone surrogate is text in JavaScript only, so there is no copy for queries.
      { source: "fork", odd: "\ud800" },
      {},
    ];
    await fill(table, "t", stored.length, (number) => [{}, { ...stored[number - 1] }]);
    const asked = [
      ...stored.filter((one) => !("odd" in one)),
      { source: "fork" },
      { plain: "y" },
      { plain: 5.0000001 },
      { absent: null },
    ];
    const { found } = await cold(table, async (saver) => {
      const answers = [];
      for (const filter of asked) {
        answers.push(await ids(saver.list(config("t"), { filter })));
      }
      return answers;
    });
    for (const [place, filter] of asked.entries()) {
      const is = (number: number) => {
        const own: Record<string, unknown> = { ...metadata(number), ...stored[number - 1] };
        return Object.entries(filter).every(
          ([key, value]) => key in own && JSON.stringify(own[key]) === JSON.stringify(value),
        );
      };
      const numbers = stored.map((_, index) => stored.length - index).filter(is);
      expect(found[place], JSON.stringify(filter)).toEqual(numbers.map(idOf));
    }
  });

  test("is_about_the_newest_revision_alone", async () => {
    const table = await newTable();
    const saver = await table.open();
    for (const user_id of ["ada", "bob"]) {
      await saver.put(config("t"), checkpoint(1, {}), metadata(1, { user_id }), {});
    }
    const list = (user_id: string) =>
      cold(table, (reader) => all(reader.list(config("t"), { filter: { user_id } })));
    expect((await list("ada")).found).toEqual([]);
    expect((await list("bob")).found).toHaveLength(1);
  });
});

describeKusto("a page", () => {
  test("of_threads_and_namespaces_with_the_same_ids_is_whole_and_in_order", async () => {
    const table = await newTable();
    const saver = await table.open();
    const places: string[][] = [];
    for (const thread of ["a", "b", "c"]) {
      for (const checkpoint_ns of ["", "sub"]) {
        for (const number of [1, 2]) {
          const where = { configurable: { thread_id: thread, checkpoint_ns } };
          await saver.put(where, checkpoint(number, {}), metadata(number), {});
          places.push([idOf(number), thread, checkpoint_ns]);
        }
      }
    }
    places.sort().reverse();
    for (let limit = 1; limit <= places.length; limit += 1) {
      const { found } = await cold(table, (reader) => all(reader.list({}, { limit })));
      const seen = found.map(({ checkpoint, config: { configurable } }) => {
        return [checkpoint.id, configurable?.thread_id, configurable?.checkpoint_ns];
      });
      expect(seen).toEqual(places.slice(0, limit));
    }
  });
});

describeLocal("a thread of 5000 steps", () => {
  test("is_read_in_as_many_requests_and_bytes_as_one_of_100", async () => {
    const table = await newTable();
    const messages = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(100));
    const costs = [];
    for (const steps of [100, 5000]) {
      await fill(table, `of ${steps}`, steps, (number) => [{ messages, number }, {}]);
      const where = config(`of ${steps}`);
      await table.local("DELETE", "log");
      const get = await cold(table, (saver) => saver.getTuple(where));
      expect(get.found?.checkpoint.channel_values).toEqual({ messages, number: steps });
      const list = await cold(table, (saver) => all(saver.list(where, { limit: 10 })));
      expect(list.found).toHaveLength(10);
      const log = (await table.local("GET", "log")) as { response_bytes: number }[];
      costs.push({ requests: [get.requests, list.requests], log });
    }
    const [short, long] = costs;
    expect(short?.requests).toEqual([1, 1]);
    expect(long?.requests).toEqual([1, 1]);
    for (const [place, { response_bytes }] of (short?.log ?? []).entries()) {
      expect(long?.log[place]?.response_bytes).toBeLessThan(response_bytes * 1.2);
    }
  });
});
