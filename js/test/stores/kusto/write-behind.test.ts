// Write-behind: rows wait in memory, are seen by their own saver at once, and by others after a
// flush.

import type { KustoSaver } from "../../../src/entries/kusto.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { FaultyFetch } from "./support/faults.js";
import { Network } from "./support/network.js";
import { Random } from "./support/random.js";
import { describeKusto, newTable } from "./support/target.js";
import { VirtualClock } from "./support/virtual-clock.js";

function put(saver: KustoSaver, number: number, thread = "t") {
  const parent = config(thread, number > 1 ? idOf(number - 1) : undefined);
  const next = checkpoint(number, { a: number });
  return saver.put(parent, next, metadata(number), next.channel_versions);
}

function idsOf(saver: KustoSaver, thread = "t") {
  return all(saver.list(config(thread))).then((tuples) =>
    tuples.map(({ checkpoint: { id } }) => id),
  );
}

describeKusto("write_behind", () => {
  test("is_opt_in_and_without_it_a_call_is_acknowledged_after_its_rows_are_stored", async () => {
    const table = await newTable();
    const network = new Network();
    await put(await table.open({ fetch: network.fetch }), 1);
    expect(network.ingests.length).toBeGreaterThan(0);
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
  });

  test("sends_nothing_before_a_flush_and_its_own_saver_sees_all", async () => {
    const table = await newTable();
    const network = new Network();
    const saver = await table.open({ batchSize: 100, fetch: network.fetch });
    await put(saver, 1);
    await saver.putWrites(config("t", idOf(1)), [["a", 2]], "task");
    expect(network.ingests).toEqual([]);
    expect(await saver.getTuple(config("t"))).toMatchObject({
      checkpoint: { id: idOf(1), channel_values: { a: 1 } },
      pendingWrites: [["task", "a", 2]],
    });
    expect(await idsOf(saver)).toEqual([idOf(1)]);
    const other = await table.open();
    expect(await other.getTuple(config("t"))).toBeUndefined();

    await saver.flush();
    expect(network.ingests).toHaveLength(1);
    expect(await other.getTuple(config("t"))).toMatchObject({
      checkpoint: { id: idOf(1), channel_values: { a: 1 } },
      pendingWrites: [["task", "a", 2]],
    });
    await saver.flush();
    expect(network.ingests).toHaveLength(1);
  });

  test("calls_of_a_thread_take_effect_in_their_order_though_some_have_to_ask", async () => {
    const table = await newTable();
    const saver = await table.open({ batchSize: 100 });
    await put(saver, 1);
    await saver.flush();
    // A deletion asks the service, and a put does not.
    const deleted = saver.deleteThread("t");
    const stored = put(saver, 2);
    const found = saver.getTuple(config("t"));
    // Neither is awaited before the flush, which takes both along.
    await saver.flush();
    await Promise.all([deleted, stored]);
    expect((await found)?.checkpoint.id).toBe(idOf(2));
    expect(await idsOf(saver)).toEqual([idOf(2)]);
    expect(await idsOf(await table.open())).toEqual([idOf(2)]);
  });

  test("a_second_close_ends_as_the_first_one_does", async () => {
    const table = await newTable();
    const saver = await table.open({ batchSize: 100 });
    await put(saver, 1);
    const [first, second] = [saver.close(), saver.close()];
    await second;
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
    await first;
    await saver.close();
  });

  test("flushes_when_enough_rows_wait", async () => {
    const table = await newTable();
    const network = new Network();
    const saver = await table.open({ batchSize: 3, flushInterval: 3600, fetch: network.fetch });
    await put(saver, 1);
    const answered = network.answered();
    await put(saver, 2);
    await put(saver, 3);
    await answered;
    expect(network.ingests.length).toBeGreaterThan(0);
    await saver.close();
    expect(await idsOf(await table.open())).toEqual([idOf(3), idOf(2), idOf(1)]);
  });

  test("flushes_when_rows_have_waited_long_enough", async () => {
    const table = await newTable();
    const network = new Network();
    const saver = await table.open({ batchSize: 100, flushInterval: 0.02, fetch: network.fetch });
    const answered = network.answered();
    await put(saver, 1);
    await answered;
    await saver.close();
    expect(network.ingests).toHaveLength(1);
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
  });

  test("flushes_at_close_which_then_refuses_calls", async () => {
    const table = await newTable();
    const saver = await table.open({ batchSize: 100 });
    await put(saver, 1);
    await saver.close();
    await saver.close();
    await expect(put(saver, 2)).rejects.toMatchObject({ code: "storage-closed" });
    await expect(saver.getTuple(config("t"))).rejects.toMatchObject({ code: "storage-closed" });
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
  });

  test("flushes_at_the_end_of_a_block_that_awaits_using", async () => {
    const table = await newTable();
    {
      await using saver = await table.open({ batchSize: 100 });
      await put(saver, 1);
    }
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
  });

  test("keeps_the_rows_of_a_flush_that_failed_and_says_so", async () => {
    const table = await newTable();
    const network = new FaultyFetch(new Random(1));
    network.faults = ["cut-before"];
    const saver = await table.open(
      { batchSize: 100, flushInterval: 3600, fetch: network.fetch },
      { clock: new VirtualClock() },
    );
    await put(saver, 1);
    network.share = 1;
    await expect(saver.flush()).rejects.toMatchObject({ name: "UnavailableError" });
    await expect(saver.close()).rejects.toMatchObject({ name: "UnavailableError" });
    network.share = 0;
    expect(await idsOf(saver)).toEqual([idOf(1)]);
    await saver.close();
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
  });

  test("keeps_the_rows_of_a_thread_whose_deletion_stored_nothing", async () => {
    const table = await newTable();
    const network = new FaultyFetch(new Random(1));
    network.faults = ["too-many-requests"];
    const saver = await table.open(
      { batchSize: 100, flushInterval: 3600, fetch: network.fetch },
      { clock: new VirtualClock() },
    );
    await put(saver, 1);
    // The deletion's query succeeds, but sending its row fails.
    network.endpoint = "/v1/rest/ingest/";
    network.share = 1;
    await expect(saver.deleteThread("t")).rejects.toMatchObject({ stored: "nothing" });
    network.share = 0;
    await saver.close();
    expect(await idsOf(await table.open())).toEqual([idOf(1)]);
  });

  test("warns_once_of_flushes_that_fail_in_the_background_and_goes_on_trying", async () => {
    const table = await newTable();
    const network = new FaultyFetch(new Random(1));
    network.faults = ["cut-before"];
    network.share = 1;
    const warnings: string[] = [];
    const warned = new Promise<void>((resolve) => {
      const onWarning = (message: string) => {
        warnings.push(message);
        resolve();
      };
      void table
        .open(
          { batchSize: 100, flushInterval: 0.01, deadline: 0.01, fetch: network.fetch, onWarning },
          {},
        )
        .then((saver) => put(saver, 1));
    });
    await warned;
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("still wait");
  });

  test("forgets_a_deleted_thread_at_once_and_for_others_after_the_flush", async () => {
    const table = await newTable();
    const saver = await table.open({ batchSize: 100 });
    await put(saver, 1);
    await put(saver, 1, "other");
    await saver.flush();
    await put(saver, 2);
    await saver.deleteThread("t");
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    await put(saver, 3);
    await saver.close();
    const fresh = await table.open();
    expect(await idsOf(fresh)).toEqual([idOf(3)]);
    expect(await idsOf(fresh, "other")).toEqual([idOf(1)]);
  });
});
