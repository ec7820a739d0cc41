// Graphs with a checkpointer run even if an application's tests fake the timers.

import { StorageSaver } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { Network } from "../stores/kusto/support/network.js";
import { describeKusto, newTable } from "../stores/kusto/support/target.js";
import { checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { expectCallsToSettle, expectLocksToBeWaitedFor, FAKES } from "../support/fake-timers.js";
import { temporaryDatabase } from "../support/temporary.js";

function openInMemory(): SqliteSaver {
  const saver = SqliteSaver.fromConnString(":memory:");
  onTestFinished(() => saver.close());
  return saver;
}

describe.each(Object.entries(FAKES))("with_the_timers_of_%s", (_, install) => {
  test("calls_of_better_sqlite3_settle", async () => {
    const saver = SqliteSaver.fromConnString(temporaryDatabase());
    onTestFinished(() => saver.close());
    install();
    await expectCallsToSettle(saver);
  });

  test("a_lock_is_waited_for_and_not_for_ever", async () => {
    const path = temporaryDatabase();
    install();
    await expectLocksToBeWaitedFor((options) => SqliteSaver.fromConnString(path, options));
  });

  test("calls_of_an_adapter_settle_and_one_that_hangs_fails", async () => {
    const { adapter } = openInMemory();
    install();
    await expectCallsToSettle(new StorageSaver({ run: async (batch) => adapter.run(batch) }));
    const hanging = new StorageSaver({ run: () => new Promise(() => {}), deadlineMs: 20 });
    const read = hanging.getTuple(config("t"));
    await expect(read).rejects.toMatchObject({ code: "adapter-timeout" });
  });
});

describeKusto.each(Object.entries(FAKES))("on_kusto_with_the_timers_of_%s", (_, install) => {
  test("calls_settle", async () => {
    const saver = await (await newTable()).open();
    install();
    await expectCallsToSettle(saver);
  });

  test("a_request_that_fails_is_sent_again", async () => {
    const table = await newTable();
    let failures = 2;
    const failing: typeof fetch = async (...request) => {
      failures -= 1;
      if (failures >= 0) return new Response("later", { status: 503 });
      return fetch(...request);
    };
    const saver = await table.open({ fetch: failing });
    install();
    await expectCallsToSettle(saver);
    expect(failures).toBeLessThan(0);
  });

  test("rows_that_wait_are_sent_when_it_is_time", async () => {
    const table = await newTable();
    const network = new Network();
    const options = { batchSize: 100, flushInterval: 1, fetch: network.fetch };
    const saver = await table.open(options);
    install();
    await saver.put(config("t"), checkpoint(1), metadata(1), {});
    do await network.answered();
    while (network.ingests.length === 0);
    const other = await table.open();
    expect((await other.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  });
});
