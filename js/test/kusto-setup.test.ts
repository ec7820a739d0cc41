// What a database needs: it is checked, said, and enough.

import { KustoSaver } from "../src/kusto.js";
import { Network } from "./kusto/network.js";
import { describeKusto, describeLocal, newTable } from "./kusto/target.js";
import { checkpoint, config, idOf, metadata } from "./support/checkpoints.js";

async function useAll(saver: KustoSaver): Promise<void> {
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  await saver.putWrites(config("t", idOf(1)), [["a", 2]], "task");
  expect((await saver.getTuple(config("t")))?.checkpoint.channel_values).toEqual({ a: 1 });
  await saver.deleteThread("t");
  expect(await saver.getTuple(config("t"))).toBeUndefined();
}

describeKusto("setup", () => {
  test("is_content_with_a_database_that_is_provisioned", async () => {
    const saver = await (await newTable()).open();
    await saver.setup();
    await useAll(saver);
  });
});

describeLocal("a database", () => {
  test("that_is_not_provisioned_is_told_so_with_what_mends_it", async () => {
    const table = await newTable();
    await table.local("POST", "databases", { provisioned: false });
    const failure = await (await table.open()).setup().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ name: "DeniedError", code: "store-not-provisioned" });
    expect(String(failure)).toContain("provision.kql");
  });

  test("needs_no_roles_but_viewer_and_ingestor", async () => {
    const table = await newTable();
    await table.open().then((saver) => saver.setup());
    await table.local("POST", "settings", { roles: ["viewer", "ingestor"] });
    const saver = await table.open();
    await saver.setup();
    await useAll(saver);
  });

  test("whose_roles_are_too_few_names_them", async () => {
    const table = await newTable();
    await table.open().then((saver) => saver.setup());
    await table.local("POST", "settings", { roles: ["viewer"] });
    const saver = await table.open();
    const put = saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    const failure = await put.catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "store-forbidden", stored: "nothing" });
    expect(String(failure)).toContain("Database Ingestor");
  });

  test("loses_the_rows_of_a_deleted_thread_where_an_administrator_deletes_it", async () => {
    const table = await newTable();
    const saver = await table.open({ admin: true });
    for (const thread of ["t", "other"]) {
      await saver.put(config(thread), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    }
    const count =
      "CheckpointLog | where ['kind'] != 'tombstone' | summarize rows = count() by thread_id";
    expect(await table.run(count)).toHaveLength(2);
    await saver.deleteThread("t");
    expect(await table.run(count)).toEqual([{ thread_id: "other", rows: expect.any(Number) }]);
  });

  test("without_streaming_is_ingested_into_inline_with_one_warning", async () => {
    const table = await newTable();
    const faults = [{ kind: "streaming-off-cluster", on: "ingest" }];
    await table.local("POST", "faults", { faults });
    const warnings: string[] = [];
    const network = new Network();
    const onWarning = (message: string) => warnings.push(message);
    await useAll(await table.open({ onWarning, fetch: network.fetch }));
    expect(warnings).toEqual([expect.stringContaining("streaming ingestion")]);
    expect(network.ingests).toHaveLength(1);

    const strict = await table.open({ ingestMode: "streaming" });
    await expect(strict.deleteThread("t")).rejects.toMatchObject({ code: "store-streaming-off" });
    const inline = new Network();
    await useAll(await table.open({ ingestMode: "inline", fetch: inline.fetch }));
    expect(inline.ingests).toEqual([]);
  });

  test("lets_an_application_log_in_with_the_secret_of_a_connection_string", async () => {
    const table = await newTable();
    const { clusterUri = "", database } = table.options;
    await table.local("POST", "settings", { tokens: [] });
    await table.local("POST", "login", { tenant: "t", client_id: "c", secret: "s;1" });
    const login = 'Application Client Id=c;Application Key="s;1";Authority Id=t';
    const text = `Data Source=${clusterUri};Initial Catalog=${database};AAD Fed=True;${login}`;
    const network = new Network();
    const options = { authority: clusterUri, fetch: network.fetch };
    await useAll(await KustoSaver.fromConnectionString(text, options));
    const logins = network.sent.filter(({ url }) => url.includes("/oauth2/"));
    expect(logins).toHaveLength(1);
    const carried = network.sent.filter(({ headers }) => headers.has("authorization"));
    expect(carried).toHaveLength(network.sent.length - 1);
  });
});
