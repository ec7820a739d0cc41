// What a database needs is checked and reported, and is sufficient.

import { KustoSaver } from "../../../src/entries/kusto.js";
import { checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { Network } from "./support/network.js";
import { describeKusto, describeLocal, newTable, provision } from "./support/target.js";

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

  test("whose_ingestor_role_is_missing_is_told_so_by_setup", async () => {
    const table = await newTable();
    await table.open().then((saver) => saver.setup());
    await table.local("POST", "settings", { roles: ["viewer"] });
    const failure = await (await table.open()).setup().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "store-forbidden" });
    expect(String(failure)).toContain("Database Ingestor");
  });

  test("names_the_role_that_removing_rows_needs", async () => {
    const table = await newTable();
    await table.open().then((saver) => saver.setup());
    await table.local("POST", "settings", { roles: ["viewer", "ingestor"] });
    const saver = await table.open({ admin: true });
    await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    for (const call of [() => saver.setup(), () => saver.deleteThread("t")]) {
      const failure = await call().catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ code: "store-forbidden" });
      expect(String(failure)).toContain("Database Admin");
    }
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    await table.local("POST", "settings", { roles: ["admin"] });
    await saver.setup();
    await saver.deleteThread("t");
  });

  test("whose_rows_go_before_the_saver_counts_on_it_is_told_so", async () => {
    const table = await newTable();
    const retention = (name: string, days: number) =>
      table.run(`.alter-merge table ${name} policy retention softdelete = ${days}d`);
    await table.open().then((saver) => saver.setup());
    await expect((await table.open({ retentionDays: 366 })).setup()).rejects.toMatchObject({
      code: "store-retention",
      message: expect.stringMatching(/365 days.*retentionDays 365/s),
    });
    await retention("CheckpointLog", 30);
    await expect((await table.open()).setup()).rejects.toMatchObject({ code: "store-retention" });
    await (await table.open({ retentionDays: 30 })).setup();
    await retention("CheckpointLog", 3650);
    await (await table.open()).setup();
    await retention("CheckpointLog_Tombstones", 3649);
    await expect((await table.open()).setup()).rejects.toMatchObject({
      code: "store-retention",
      message: expect.stringContaining("deleted threads would come back"),
    });
    // Without policies of their own, tables use their database's.
    await table.run(".delete table CheckpointLog policy retention");
    await table.run(".delete table CheckpointLog_Tombstones policy retention");
    await (await table.open()).setup();
    const { database } = table.options;
    await table.run(`.alter-merge database ${database} policy retention softdelete = 90d`);
    await expect((await table.open()).setup()).rejects.toMatchObject({ code: "store-retention" });
  });

  test("with_two_tables_keeps_the_rows_of_one_when_a_thread_of_the_other_is_deleted", async () => {
    const table = await newTable();
    await table.open().then((saver) => saver.setup());
    await table.run(`.execute database script <|\n${provision("Other_Log")}`);
    const one = await table.open({ admin: true });
    const other = await table.open({ admin: true, table: "Other_Log" });
    await other.setup();
    for (const saver of [one, other]) {
      await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    }
    const rows = async (name: string) => {
      const [row] = await table.run(`${name} | where thread_id == 't' | summarize rows = count()`);
      return row?.rows;
    };
    await other.deleteThread("t");
    expect(await rows("Other_Log")).toBe(0);
    expect(await rows("Other_Log_LatestCheckpoints")).toBe(0);
    expect(await rows("Other_Log_LiveCheckpoints()")).toBe(0);
    expect(await rows("CheckpointLog")).toBeGreaterThan(0);
    for (const name of ["CheckpointLog_LatestCheckpoints", "LatestCheckpoints", "Checkpoints"]) {
      expect(await rows(name)).toBe(1);
    }
    for (const saver of [one, await table.open()]) {
      expect((await saver.getTuple(config("t")))?.checkpoint.channel_values).toEqual({ a: 1 });
    }
    expect(await other.getTuple(config("t"))).toBeUndefined();
  });

  test("shows_no_value_of_a_deleted_thread_outside_the_log", async () => {
    const table = await newTable();
    const saver = await table.open();
    const secret = "sesame";
    await saver.put(config("t"), checkpoint(1, { a: secret }), metadata(1, { secret }), { a: 1 });
    expect(JSON.stringify(await table.run("LiveCheckpoints()"))).toContain(secret);
    await saver.deleteThread("t");
    const [latest] = await table.run("LatestCheckpoints");
    expect(latest).toMatchObject({ thread_id: "t" });
    for (const name of ["LatestCheckpoints", "Checkpoints", "LiveWrites()", "LatestState()"]) {
      expect(JSON.stringify(await table.run(name))).not.toContain(secret);
    }
  });

  test("loses_the_rows_of_a_deleted_thread_where_an_administrator_deletes_it", async () => {
    const table = await newTable();
    const saver = await table.open({ admin: true });
    for (const thread of ["t", "other"]) {
      await saver.put(config(thread), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    }
    const count = "CheckpointLog | summarize rows = count() by thread_id";
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
