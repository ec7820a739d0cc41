// `onCall` gets every call once, and does not affect any call.

import Database from "better-sqlite3";

import {
  type CallReport,
  InvalidInputError,
  type SaverOptions,
  StorageSaver,
} from "../../src/entries/index.js";
import type { KustoSaver } from "../../src/entries/kusto.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { timers } from "../../src/platform/timers.js";
import { BetterSqlite3Connection } from "../../src/stores/sqlite/better-sqlite3.js";
import { CommitQueue } from "../../src/stores/sqlite/commit-queue.js";
import { describeKusto, newTable } from "../stores/kusto/support/target.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { GatedStorage } from "../support/gates.js";

/** The bytes that checkpoint 1 stores beside its channels. */
const HEAD_BYTES =
  JSON.stringify(metadata(1)).length + JSON.stringify({ versions_seen: {} }).length;

function open(options: SaverOptions = {}): { saver: SqliteSaver; reports: CallReport[] } {
  const reports: CallReport[] = [];
  const onCall = (report: CallReport) => {
    reports.push(report);
  };
  const saver = SqliteSaver.fromConnString(":memory:", { ...options, onCall });
  onTestFinished(() => saver.close());
  return { saver, reports };
}

/** A saver whose storage answers when the test says so. */
function gated(options: SaverOptions): { saver: StorageSaver; storage: GatedStorage } {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  const queue = new CommitQueue(new BetterSqlite3Connection(db), { busyDeadlineMs: 1000 });
  const storage = new GatedStorage(queue);
  return { saver: new StorageSaver(storage, undefined, options), storage };
}

async function everyCall(saver: SqliteSaver | KustoSaver): Promise<void> {
  const first = config("t", idOf(1));
  await saver.setup();
  await saver.put(config("t"), checkpoint(1, { n: 1 }), metadata(1), { n: 1 });
  await saver.putWrites(first, [["n", "four"]], "task");
  await saver.put(first, checkpoint(2, { n: 2 }), metadata(1), { n: 2 });
  await saver.getTuple(first);
  await saver.get(config("other"));
  await all(saver.list(config("t")));
  await saver.getDeltaChannelHistory({ config: config("t", idOf(2)), channels: ["n"] });
  await saver.deleteThread("t");
}

/** The reports of `everyCall`. A saver remembers values of its last checkpoint only. */
const EVERY_CALL = [
  { op: "setup", bytes: 0 },
  { op: "put", bytes: HEAD_BYTES + 1 },
  { op: "putWrites", bytes: 6 },
  { op: "put", bytes: HEAD_BYTES + 1 },
  { op: "getTuple", bytes: HEAD_BYTES + 1 + 6 },
  { op: "getTuple", bytes: 0 },
  { op: "list", bytes: 2 * (HEAD_BYTES + 1) + 6 },
  { op: "getDeltaChannelHistory", bytes: 1 + 6 },
  { op: "deleteThread", bytes: 0 },
].map((report) => ({ ...report, ms: expect.any(Number) }));

test("every_call_is_told_of_once_with_the_bytes_of_its_values", async () => {
  const { saver, reports } = open();
  await everyCall(saver);
  expect(reports).toStrictEqual(EVERY_CALL);
});

describeKusto("on Kusto", () => {
  test("every_call_on_kusto_is_told_of_once_with_the_bytes_of_its_values", async () => {
    const reports: CallReport[] = [];
    const table = await newTable();
    const saver = await table.open({ onCall: (report) => reports.push(report) });
    await everyCall(saver);
    await saver.close();
    expect(reports).toStrictEqual(EVERY_CALL);
  });
});

test("what_the_saver_remembers_is_not_counted", async () => {
  const { saver, reports } = open();
  const messages = Array.from({ length: 50 }, (_, index) => ({ text: `${index}`.repeat(100) }));
  await saver.put(config("t"), checkpoint(1, { messages }), metadata(1), { messages: 1 });
  const more = [...messages, { text: "more" }];
  await saver.put(config("t", idOf(1)), checkpoint(2, { messages: more }), metadata(1), {
    messages: 2,
  });
  await saver.getTuple(config("t"));
  const bytes = reports.map((report) => report.bytes - HEAD_BYTES);
  expect(bytes[0]).toBe(JSON.stringify(messages).length);
  expect(bytes.slice(1)).toEqual([JSON.stringify({ text: "more" }).length, 0]);
});

test("values_that_are_sent_again_are_counted_again", async () => {
  const { saver, reports } = open();
  const text = "x".repeat(1000);
  await saver.put(config("t"), checkpoint(1, { n: [text] }), metadata(1), { n: 1 });
  // Another saver removes what this one remembers as stored.
  await new SqliteSaver(saver.db).deleteThread("t");
  await saver.put(config("t"), checkpoint(2, { n: [text] }), metadata(1), { n: 1 });
  const whole = JSON.stringify([text]).length;
  expect(reports.map(({ bytes }) => bytes)).toEqual([
    HEAD_BYTES + whole,
    HEAD_BYTES + HEAD_BYTES + whole,
  ]);
});

test("ms_is_the_time_from_the_call_to_its_answer", async () => {
  const reports: CallReport[] = [];
  const { saver, storage } = gated({ onCall: (report) => reports.push(report) });
  await saver.setup();
  let now = 100;
  vi.spyOn(timers, "elapsed").mockImplementation(() => now);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  storage.holding = true;
  const put = saver.put(config("t"), checkpoint(1), metadata(1), {});
  for (let turn = 0; turn < 50; turn += 1) await undefined;
  now = 125;
  storage.holding = false;
  storage.release(0);
  await put;
  expect(reports.at(-1)).toMatchObject({ op: "put", ms: 25 });
});

describe("a list", () => {
  test("is_told_of_where_its_reader_stops_without_the_time_that_the_reader_took", async () => {
    const { saver, reports } = open();
    for (const number of [1, 2, 3]) {
      await saver.put(config("t"), checkpoint(number), metadata(1), {});
    }
    reports.length = 0;
    let now = 0;
    vi.spyOn(timers, "elapsed").mockImplementation(() => now);
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    for await (const { checkpoint: read } of saver.list(config("t"))) {
      now += 1000;
      if (read.id === idOf(2)) break;
    }
    expect(reports).toStrictEqual([{ op: "list", ms: 0, bytes: 3 * HEAD_BYTES }]);
  });

  test("that_fails_is_told_of_with_its_error", async () => {
    const { saver, reports } = open();
    const thrown = await all(saver.list(config("t"), { limit: -1 })).catch((error) => error);
    expect(thrown).toBeInstanceOf(InvalidInputError);
    expect(reports).toStrictEqual([
      { op: "list", ms: expect.any(Number), bytes: 0, error: thrown },
    ]);
  });

  test("that_nobody_reads_is_no_call_and_a_readers_own_error_is_none_of_its", async () => {
    const { saver, reports } = open();
    await saver.put(config("t"), checkpoint(1), metadata(1), {});
    reports.length = 0;
    saver.list(config("t"));
    const reading = async () => {
      for await (const _ of saver.list(config("t"))) throw new RangeError("the reader's");
    };
    await expect(reading()).rejects.toThrow(RangeError);
    expect(reports).toStrictEqual([{ op: "list", ms: expect.any(Number), bytes: HEAD_BYTES }]);
  });
});

test("a_call_that_fails_is_told_of_with_the_error_it_rejects_with", async () => {
  const { saver, reports } = open();
  const refused = [
    await saver.getTuple(config("\ud800")).catch((error) => error),
    await saver.put({}, checkpoint(1), metadata(1), {}).catch((error) => error),
    await saver.putWrites({}, [["n", 1]], "task").catch((error) => error),
    await saver.deleteThread("").catch((error) => error),
  ];
  expect(reports.map(({ op }) => op)).toEqual(["getTuple", "put", "putWrites", "deleteThread"]);
  expect(reports.map(({ error }) => error)).toEqual(refused);
  expect(refused.every((error) => error instanceof InvalidInputError)).toBe(true);
});

describe("a callback that fails", () => {
  const failing: [string, () => never | Promise<never>][] = [
    [
      "throws",
      () => {
        throw new RangeError("secret");
      },
    ],
    ["rejects", () => Promise.reject(new RangeError("secret"))],
  ];

  test.each(failing)("is_warned_of_once_and_fails_no_call_where_it_%s", async (_, fail) => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => {
      process.off("warning", note);
    });
    let told = 0;
    const saver = SqliteSaver.fromConnString(":memory:", {
      onCall: () => {
        told += 1;
        return fail();
      },
    });
    onTestFinished(() => saver.close());
    const stored = await saver.put(config("t"), checkpoint(1), metadata(1), {});
    expect(stored).toEqual(config("t", idOf(1)));
    expect(await all(saver.list(config("t")))).toHaveLength(1);
    await expect(saver.deleteThread("")).rejects.toThrow(InvalidInputError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(3);
    expect(warnings.map(({ name }) => name)).toEqual(["CheckpointerWarning"]);
    expect(warnings[0]?.message).toMatch(/onCall threw \(RangeError\) when it was told of a put/);
    expect(warnings[0]?.message).not.toContain("secret");
  });
});

test("a_promise_that_the_callback_gives_is_not_waited_for", async () => {
  const { saver } = gated({ onCall: () => new Promise(() => {}) });
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  expect(await all(saver.list(config("t")))).toHaveLength(1);
});

/** How many microtasks each call takes until its caller continues. */
async function microtasks(options: SaverOptions): Promise<number[]> {
  const saver = SqliteSaver.fromConnString(":memory:", options);
  onTestFinished(() => saver.close());
  await saver.setup();
  const counts: number[] = [];
  for (const call of [
    () => saver.put(config("t"), checkpoint(1), metadata(1), {}),
    () => saver.getTuple(config("t")),
    () => saver.getDeltaChannelHistory({ config: config("t"), channels: ["n"] }),
    () => saver.deleteThread("t"),
  ]) {
    let ended = false;
    const end = () => {
      ended = true;
    };
    call().then(end, end);
    let count = 0;
    for (; !ended; count += 1) await undefined;
    counts.push(count);
  }
  return counts;
}

test("a_call_takes_as_many_microtasks_as_without_a_callback", async () => {
  expect(await microtasks({ onCall: () => {} })).toEqual(await microtasks({}));
});

test("without_a_callback_no_clock_is_read", async () => {
  const elapsed = vi.spyOn(timers, "elapsed");
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const { saver } = gated({});
  await saver.setup();
  elapsed.mockClear();
  await saver.getTuple(config("t"));
  const read = elapsed.mock.calls.length;
  const told = gated({ onCall: () => {} });
  await told.saver.setup();
  elapsed.mockClear();
  await told.saver.getTuple(config("t"));
  expect(elapsed.mock.calls.length - read).toBe(2);
});
