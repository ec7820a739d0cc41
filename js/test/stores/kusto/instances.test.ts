// A planner that fails is replaced, and the loss of what only it knew is reported.

import { readFileSync } from "node:fs";

import { systemClock } from "../../../src/stores/kusto/clock.js";
import type { Fetch } from "../../../src/stores/kusto/http.js";
import { toStoreOptions } from "../../../src/stores/kusto/options.js";
import { KustoSaver } from "../../../src/stores/kusto/saver.js";
import { KustoStore } from "../../../src/stores/kusto/store.js";
import { NO_TOKEN } from "../../../src/stores/kusto/token.js";
import { checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { describeKusto, describeLocal, newTable } from "./support/target.js";

interface Opened {
  readonly store: KustoStore;
  readonly saver: KustoSaver;
  readonly table: Awaited<ReturnType<typeof newTable>>;
}

async function open(batchSize: number, fetch: Fetch = globalThis.fetch): Promise<Opened> {
  const table = await newTable();
  const options = { ...table.options, visibilityTimeout: 1 };
  const warn = () => {};
  const tokens = NO_TOKEN;
  const surroundings = { fetch, tokens, warn, warnAtExit: warn, clock: systemClock };
  const store = new KustoStore(toStoreOptions({ ...options, batchSize }), surroundings);
  return { store, saver: new KustoSaver(store), table };
}

/** A call that makes the planner fail. */
async function nonsense(store: KustoStore, thread = "t"): Promise<unknown> {
  const made = { thread, isInside: false, due: "microtask", joins: true } as const;
  return store.run(JSON.parse('{ "tag": "put", "val": {} }'), made);
}

describeKusto("a core module", () => {
  test("that_is_handed_over_is_the_planner", async () => {
    const table = await newTable();
    const file = new URL("../../../generated/planner-kusto.core.wasm", import.meta.url);
    const core = new WebAssembly.Module(readFileSync(file));
    const saver = await table.open({ core });
    await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));

    const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    await expect(table.open({ core: empty })).rejects.toBeInstanceOf(Error);
  });
});

describeKusto("a planner that fails", () => {
  test("leaves_it_unknown_whether_a_call_is_stored_whose_second_attempt_is_refused", async () => {
    let ingests = 0;
    const network: Fetch = async (url, init) => {
      if (!String(url).includes("/rest/ingest/")) return fetch(url, init);
      ingests += 1;
      if (ingests > 1) {
        const body = JSON.stringify({ error: { code: "BadRequest", "@permanent": true } });
        return new Response(body, { status: 400 });
      }
      const response = await fetch(url, init);
      await nonsense(opened.store, "other").catch(() => {});
      return response;
    };
    const opened = await open(1, network);
    const put = opened.saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    await expect(put).rejects.toMatchObject({ stored: "unknown" });
    const other = await opened.table.open();
    expect((await other.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  });

  test("leaves_calls_that_were_made_together_in_their_order", async () => {
    let ingests = 0;
    const network: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).includes("/rest/ingest/")) return response;
      ingests += 1;
      if (ingests === 1) await nonsense(opened.store, "other").catch(() => {});
      return response;
    };
    const opened = await open(1, network);
    const put = (value: string) => {
      return opened.saver.put(config("t"), checkpoint(1, { a: value }), metadata(1), { a: 1 });
    };
    await Promise.all([put("first"), put("second"), put("third")]);
    const found = await opened.saver.getTuple(config("t"));
    expect(found?.checkpoint.channel_values).toEqual({ a: "third" });
  });

  test("takes_no_other_call_along", async () => {
    const { store, saver } = await open(1);
    const put = saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    await expect(nonsense(store)).rejects.toMatchObject({
      name: "ProtocolError",
      code: "planner-failed",
    });
    await put;
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
  });

  test("takes_rows_along_that_were_not_flushed_and_tells_a_call_a_flush_and_the_end", async () => {
    const { store, saver } = await open(100);
    await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    await expect(nonsense(store)).rejects.toThrow("is lost");
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    await saver.put(config("t"), checkpoint(2, { a: 2 }), metadata(2), { a: 2 });
    await expect(store.flush()).rejects.toThrow("is lost");
    await store.flush();
    await expect(saver.close()).rejects.toThrow("is lost");
    await saver.close();
  });
});

describeLocal("a planner that takes over", () => {
  test("reads_what_was_acknowledged_however_late_it_is_shown_or_is_stale", async () => {
    const { store, saver, table } = await open(1);
    await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    await table.local("POST", "faults", { faults: [{ kind: "delayed", on: "rows" }] });
    await saver.put(config("t"), checkpoint(2, { a: 2 }), metadata(2), { a: 2 });
    for (const _ of [1, 2]) {
      await expect(nonsense(store)).rejects.toMatchObject({ code: "planner-failed" });
      await expect(saver.getTuple(config("t"))).rejects.toMatchObject({ code: "store-stale" });
    }
    await table.local("DELETE", "faults");
    await table.local("POST", "release");
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(2));
  });
});
