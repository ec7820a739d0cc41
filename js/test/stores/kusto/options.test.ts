// The options of a saver. All others are refused by name, before any request.

import { KustoSaver } from "../../../src/entries/kusto.js";

const good = { clusterUri: "https://a.westeurope.kusto.windows.net", database: "db" };

async function refusal(options: object): Promise<{ code: string; message: string }> {
  const failure = await KustoSaver.fromConnectionString({
    ...good,
    fetch: () => expect.fail("a request was sent"),
    ...options,
  }).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ name: "InvalidInputError" });
  return failure as { code: string; message: string };
}

describe("options", () => {
  test.each([
    ["batch_size", "batchSize"],
    ["flush_interval", "flushInterval"],
    ["flushIntervall", "flushInterval"],
    ["clusterURI", "clusterUri"],
    ["cluster_url", "clusterUri"],
    ["retentiondays", "retentionDays"],
    ["trustedHost", "trustedHosts"],
  ])("that_there_are_not_are_refused_with_the_name_that_was_meant: %s", async (name, meant) => {
    const { code, message } = await refusal({ [name]: 7 });
    expect(code).toBe("unknown-option");
    expect(message).toBe(`there is no option ${name}; write ${meant}`);
  });

  test("that_are_like_no_other_are_refused_too", async () => {
    const { message } = await refusal({ nonsense: undefined });
    expect(message).toBe("there is no option nonsense; leave it out");
  });

  test("beside_a_connection_string_are_looked_at_as_well", async () => {
    const text = "Data Source=https://a.kusto.windows.net;Initial Catalog=db";
    const options = { batch_size: 7 } as object;
    const opening = KustoSaver.fromConnectionString(text, options);
    await expect(opening).rejects.toMatchObject({ code: "unknown-option" });
  });

  test.each([
    ["batchSize", [0, -1, 1.5, Number.NaN, "7", 2 ** 32]],
    ["retentionDays", [0, 0.5, -1]],
    ["flushInterval", [0, 0.0001, -1, Number.NaN, "1"]],
    ["deadline", [0]],
    ["visibilityTimeout", [0]],
  ])("that_count_take_no_other_numbers: %s", async (name, values) => {
    for (const value of values) {
      const { code, message } = await refusal({ [name]: value });
      expect(code).toBe("invalid-option");
      expect(message).toContain(`the option ${name} has to be`);
    }
  });

  test.each([
    ["admin", ["yes", 1, null]],
    ["fetch", [1]],
    ["onWarning", [1]],
    ["onCall", ["log", {}]],
    ["cacheBytes", ["1MB", -1, Number.NaN]],
    ["assumeImmutable", ["messages", [1]]],
    ["serde", [{}, null]],
    ["table", [7]],
    ["ingestMode", ["queued"]],
    ["authority", [7]],
    ["clusterUri", [7]],
  ])("of_another_kind_are_refused: %s", async (name, values) => {
    for (const value of values) {
      const { code, message } = await refusal({ [name]: value });
      expect(code).toBe("invalid-option");
      expect(message).toContain(`the option ${name} has to be`);
    }
  });

  test.each([
    ["kusto.example"],
    [["https://kusto.example"]],
    [["kusto.example:443"]],
    [["kusto.example/db"]],
    [[7]],
  ])("trustedHosts_are_hosts_alone: %j", async (trustedHosts) => {
    const { code, message } = await refusal({ trustedHosts });
    expect(code).toBe("invalid-option");
    expect(message).toContain("without https://, port or path");
  });

  test("trustedHosts_may_be_addresses", async () => {
    const trustedHosts = ["10.0.0.1", "[::1]", "kusto.example"];
    const saver = await KustoSaver.fromConnectionString({ ...good, trustedHosts });
    await saver.close();
  });

  test.each([undefined, null, 7])("are_missing_where_there_is_no_source: %j", async (source) => {
    const opening = KustoSaver.fromConnectionString(source as never);
    await expect(opening).rejects.toMatchObject({
      name: "InvalidInputError",
      code: "invalid-argument",
      message: expect.stringContaining("a connection string"),
    });
  });

  test.each([
    [{}, "the option clusterUri is missing"],
    [{ clusterUri: good.clusterUri }, "the option database is missing"],
    [good.clusterUri, "it is written as Initial Catalog=..."],
    ["foo", "it is written as Initial Catalog=..."],
  ])("that_are_missing_are_named: %j", async (source, said) => {
    const opening = KustoSaver.fromConnectionString(source);
    await expect(opening).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining(said),
    });
  });

  test("that_are_good_are_taken", async () => {
    const times = { flushInterval: 0.5, deadline: 1.5, visibilityTimeout: 0.001 };
    const saver = await KustoSaver.fromConnectionString({
      ...good,
      ...times,
      batchSize: 1,
      retentionDays: 1,
    });
    await saver.close();
  });
});

describe("a_credential", () => {
  const elsewhere = { clusterUri: "https://kusto.example" };
  const logins: [string, object][] = [
    ["of_a_function", { credential: () => "token" }],
    ["over_plain_http", { credential: () => "token", clusterUri: "http://a.kusto.windows.net" }],
    ["for_a_neighbour", { credential: () => "token", clusterUri: "https://akusto.windows.net" }],
  ];

  test.each(logins)("%s_is_refused_for_a_host_that_is_not_trusted", async (_, options) => {
    expect((await refusal({ ...elsewhere, ...options })).code).toBe("untrusted-host");
  });

  test.each(["Application Token=t", "Application Client Id=c;Application Key=s;Authority Id=t"])(
    "in_a_connection_string_is_refused_there_too: %s",
    async (login) => {
      const text = `Data Source=https://kusto.example;Initial Catalog=db;${login}`;
      const opening = KustoSaver.fromConnectionString(text);
      await expect(opening).rejects.toMatchObject({ code: "untrusted-host" });
    },
  );

  test("is_good_for_a_host_that_is_named_and_none_is_for_any", async () => {
    const named = { credential: () => "token", trustedHosts: ["kusto.example"] };
    for (const options of [named, {}]) {
      const saver = await KustoSaver.fromConnectionString({ ...good, ...elsewhere, ...options });
      await saver.close();
    }
  });
});
