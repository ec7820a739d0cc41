// An adapter that lets the saver join calls gets one batch for the writes of a superstep, and each
// call its own answer.

import { randomBytes } from "node:crypto";

import {
  type Batch,
  type RowSet,
  type StorageAdapter,
  StorageError,
  type StorageErrorCode,
  StorageSaver,
} from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, idOf, ids, metadata } from "../support/checkpoints.js";

/** A database that is reached by requests, and refuses what it is told to. */
class Remote implements StorageAdapter {
  readonly name = "remote";
  readonly joinsCalls = true;
  readonly saver = SqliteSaver.fromConnString(":memory:");
  readonly requests: Batch["access"][] = [];
  #atOnce = 0;
  mostAtOnce = 0;
  refuses: (batch: Batch) => "nothing" | "unknown" | undefined = () => undefined;
  code: StorageErrorCode = "storage-failed";

  constructor() {
    onTestFinished(() => this.saver.close());
  }

  async run(batch: Batch): Promise<RowSet[]> {
    this.requests.push(batch.access);
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.#atOnce -= 1;
    const stored = this.refuses(batch);
    if (stored !== undefined) throw new StorageError(this.code, "refused", { stored });
    return this.saver.adapter.run(batch);
  }
}

/** A saver with a checkpoint, which it knows. */
async function begun() {
  const remote = new Remote();
  const saver = new StorageSaver(remote);
  await put(saver, 1);
  await saver.getTuple(config("t"));
  remote.requests.length = 0;
  return { remote, saver };
}

const LONG = "long ".repeat(100);

function put(saver: StorageSaver, n: number, thread = "t") {
  const values = { messages: Array.from({ length: n }, (_, at) => `${LONG}${at}`) };
  const at = n === 1 ? undefined : idOf(n - 1);
  return saver.put(config(thread, at), checkpoint(n, values), metadata(n), { messages: n });
}

function write(saver: StorageSaver, n: number, task: string, value = `${LONG}${n}`) {
  return saver.putWrites(config("t", idOf(n)), [["messages", value]], task);
}

function has(batch: Batch, wanted: string): boolean {
  return batch.statements.some(({ parameters }) => parameters.flat().includes(wanted));
}

test("the_writes_and_the_put_of_a_superstep_are_one_request", async () => {
  const { remote, saver } = await begun();
  await Promise.all([write(saver, 1, "one"), write(saver, 1, "two"), put(saver, 2)]);
  expect(remote.requests).toEqual(["write"]);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2), idOf(1)]);
  expect((await saver.getTuple(config("t", idOf(1))))?.pendingWrites).toHaveLength(2);
});

test("calls_made_while_a_request_is_under_way_share_the_next_one", async () => {
  const { remote, saver } = await begun();
  const first = write(saver, 1, "one");
  await new Promise(setImmediate);
  const others = ["two", "three", "four"].map((task) => write(saver, 1, task));
  await Promise.all([first, ...others, put(saver, 2)]);
  expect(remote.requests).toEqual(["write", "write"]);
  expect((await saver.getTuple(config("t", idOf(1))))?.pendingWrites).toHaveLength(4);
});

test("threads_do_not_wait_for_each_other", async () => {
  const { remote, saver } = await begun();
  await Promise.all(["u", "v", "w"].map((thread) => put(saver, 1, thread)));
  expect(remote.mostAtOnce).toBe(3);
  expect(await ids(saver.list({}))).toHaveLength(4);
});

test("of_joined_calls_only_the_one_that_makes_the_batch_fail_fails", async () => {
  const { remote, saver } = await begun();
  remote.refuses = (batch) => (has(batch, "bad") ? "nothing" : undefined);
  const [good, bad, stored] = await Promise.allSettled([
    write(saver, 1, "good"),
    write(saver, 1, "bad"),
    put(saver, 2),
  ]);
  expect(good.status).toBe("fulfilled");
  expect(bad).toMatchObject({ reason: { code: "storage-failed", stored: "nothing" } });
  expect(stored.status).toBe("fulfilled");
  const found = await saver.getTuple(config("t", idOf(1)));
  expect(found?.pendingWrites?.map(([task]) => task)).toEqual(["good"]);
  expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(2));
});

test("joined_calls_that_find_the_store_busy_fail_together", async () => {
  const { remote, saver } = await begun();
  remote.refuses = () => "nothing";
  remote.code = "storage-busy";
  const ends = await Promise.allSettled([write(saver, 1, "one"), put(saver, 2)]);
  const busy = { reason: { code: "storage-busy", stored: "nothing" } };
  expect(ends).toMatchObject([busy, busy]);
  expect(remote.requests).toEqual(["write"]);
});

test("joined_calls_of_a_batch_with_an_unknown_end_all_fail_with_an_unknown_end", async () => {
  const { remote, saver } = await begun();
  remote.refuses = () => "unknown";
  const ends = await Promise.allSettled([write(saver, 1, "one"), put(saver, 2)]);
  const unknown = { reason: { code: "storage-failed", stored: "unknown" } };
  expect(ends).toMatchObject([unknown, unknown]);
  expect(remote.requests).toEqual(["write"]);
});

test("a_joined_put_that_is_stale_is_repeated_before_later_calls", async () => {
  const { remote, saver } = await begun();
  // Another program deletes the thread: what this saver knows of it is no longer stored.
  await new StorageSaver(remote.saver.adapter).deleteThread("t");
  const order: string[] = [];
  await Promise.all([
    write(saver, 1, "one").then(() => order.push("write")),
    put(saver, 2).then(() => order.push("put 2")),
    put(saver, 3).then(() => order.push("put 3")),
    saver.getTuple(config("t")).then((found) => order.push(`got ${found?.checkpoint.id}`)),
  ]);
  expect(order).toEqual(["write", "put 2", "put 3", `got ${idOf(3)}`]);
  const fresh = new StorageSaver(remote.saver.adapter);
  const found = await fresh.getTuple(config("t"));
  expect(found?.checkpoint.channel_values.messages).toHaveLength(3);
});

test("a_later_put_of_the_same_checkpoint_wins_over_a_stale_one", async () => {
  const { remote, saver } = await begun();
  const again = (text: string, kept: string[]) => {
    const values = { messages: [...kept, text] };
    return saver.put(config("t", idOf(1)), checkpoint(2, values), metadata(2), { messages: 2 });
  };
  await new StorageSaver(remote.saver.adapter).deleteThread("t");
  await Promise.all([again("older", [`${LONG}0`]), again("newer", [])]);
  const found = await saver.getTuple(config("t"));
  expect(found?.checkpoint.channel_values.messages).toEqual(["newer"]);
});

test("large_calls_are_not_joined", async () => {
  const { remote, saver } = await begun();
  const large = (task: string) => write(saver, 1, task, randomBytes(450_000).toString("hex"));
  await Promise.all(["one", "two", "three"].map(large));
  expect(remote.requests).toEqual(["write", "write", "write"]);
});

test("a_read_that_is_refused_leaves_nothing_waiting", async () => {
  const { saver } = await begun();
  await expect(saver.getTuple(config("x".repeat(2_000)))).rejects.toMatchObject({
    code: "oversized-id",
  });
  expect(await ids(saver.list({}))).toEqual([idOf(1)]);
});

test("answers_that_cannot_be_changed_are_taken", async () => {
  const { remote, saver } = await begun();
  const run = remote.run.bind(remote);
  remote.run = async (batch) => Object.freeze(await run(batch)) as RowSet[];
  await Promise.all([write(saver, 1, "one"), put(saver, 2)]);
  expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(2));
});

test("calls_inside_the_callers_transaction_are_not_joined", async () => {
  const { remote } = await begun();
  const adapter: StorageAdapter = {
    joinsCalls: true,
    inTransaction: true,
    run: (batch) => remote.saver.adapter.run(batch),
  };
  const order: string[] = [];
  const stored = put(new StorageSaver(adapter), 2).then(() => order.push("put"));
  setImmediate(() => order.push("turn"));
  await stored;
  expect(order[0]).toBe("put");
});

test("a_refused_call_among_joined_ones_fails_alone_and_asks_nothing_of_the_store", async () => {
  const { remote, saver } = await begun();
  const refused = saver.putWrites(config("t", idOf(1)), [["messages", 1]], "");
  const ends = await Promise.allSettled([write(saver, 1, "one"), refused, put(saver, 2)]);
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(ends[1]).toMatchObject({ reason: { code: "missing-id" } });
  expect(remote.requests.length).toBeLessThanOrEqual(2);
});
