// No error, warning, output or request id contains a token, a secret or a value of the caller's.

import { inspect } from "node:util";

import { KustoSaver } from "../../../src/entries/kusto.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { Network } from "./support/network.js";
import { describeLocal, newTable, type Table } from "./support/target.js";
import { VirtualClock } from "./support/virtual-clock.js";

const TOKEN = "tok-b1f09c55e0c4";
const SECRET = "sec-77aa01d3f6be";
const VALUE = "val-93d2c8e1f0ab";

/** Faults of the stand-in, each on every request that it applies to. */
const FAULTS: [string, object][] = [
  ["throttled", { kind: "throttled", on: "any" }],
  ["unavailable", { kind: "unavailable", on: "any" }],
  ["transient", { kind: "transient", on: "any" }],
  ["permanent", { kind: "permanent", on: "any" }],
  ["streaming_off_in_the_cluster", { kind: "streaming-off-cluster", on: "ingest" }],
  ["streaming_off_on_the_table", { kind: "streaming-off-table", on: "ingest" }],
  ["too_large", { kind: "too-large", on: "rows" }],
  ["unauthorized", { kind: "unauthorized", on: "any" }],
  ["forbidden", { kind: "forbidden", on: "any" }],
  ["cut_before", { kind: "cut-before", on: "any" }],
  ["cut_during", { kind: "cut-during", on: "any" }],
  ["cut_after", { kind: "cut-after", on: "any" }],
  ["partial", { kind: "partial", on: "query" }],
  ["partial_in_the_data", { kind: "partial", on: "query", placement: "in_data" }],
  ["torn", { kind: "torn", on: "rows", queries: 1000 }],
  ["nothing", { kind: "throttled", on: "any", count: 0 }],
];

/** Everything that is emitted while a test runs. */
function emitted(): string[] {
  const texts: string[] = [];
  const note = (...given: unknown[]) => {
    texts.push(...given.map((one) => (typeof one === "string" ? one : shown(one))));
    return true;
  };
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation(note);
  }
  vi.spyOn(process, "emitWarning").mockImplementation(note as never);
  vi.spyOn(process.stdout, "write").mockImplementation(note as never);
  vi.spyOn(process.stderr, "write").mockImplementation(note as never);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  return texts;
}

/** Everything visible of a thing: stacks, causes and hidden properties. */
function shown(thing: unknown): string {
  return inspect(thing, { depth: 20, showHidden: true, maxStringLength: null });
}

/** Makes every call, and returns the errors. */
async function callsOn(saver: KustoSaver): Promise<unknown[]> {
  const big = VALUE.repeat(100_000);
  const calls = [
    () => saver.setup(),
    () => saver.put(config("t"), checkpoint(1, { a: VALUE, big }), metadata(1), { a: 1, big: 1 }),
    () => saver.putWrites(config("t", idOf(1)), [["a", VALUE]], "task"),
    () => saver.getTuple(config("t")),
    () => all(saver.list(config("t"), { filter: { note: VALUE } })),
    () => saver.getDeltaChannelHistory({ config: config("t"), channels: ["a"] }),
    () => saver.deleteThread("t"),
    () => saver.flush(),
    () => saver.close(),
  ];
  const thrown: unknown[] = [];
  for (const call of calls) await call().catch((error: unknown) => thrown.push(error));
  return thrown;
}

function expectNoSecret(texts: readonly string[], words: readonly string[]): void {
  for (const text of texts) {
    for (const word of words) {
      if (text.includes(word)) expect.fail(`a secret is in: ${text.slice(0, 200)}`);
    }
  }
}

/** The parts of requests that others may see: all but the token's header and the rows. */
function visible({ sent }: Network): string[] {
  return sent.map(({ url, headers }) => {
    return JSON.stringify([url, [...headers].filter(([name]) => name !== "authorization")]);
  });
}

async function open(table: Table, network: Network, batchSize?: number): Promise<KustoSaver> {
  const credential = () => TOKEN;
  const options = { credential, fetch: network.fetch, batchSize, onWarning: console.warn };
  return table.open({ ...options, deadline: 1 }, { clock: new VirtualClock() });
}

describeLocal("no secret is told", () => {
  test.each(FAULTS)("of_a_store_that_is_%s", async (about, fault) => {
    const texts = emitted();
    for (const batchSize of [undefined, 100]) {
      const table = await newTable();
      await table.local("POST", "settings", { tokens: [TOKEN] });
      await table.local("POST", "faults", { seed: 1, faults: [fault] });
      const network = new Network();
      const thrown = await callsOn(await open(table, network, batchSize));
      texts.push(...thrown.map(shown));
      expectNoSecret(visible(network), [TOKEN, VALUE]);
      // The token was there to be leaked.
      const carried = network.sent.map(({ headers }) => headers.get("authorization"));
      expect(carried).toContain(`Bearer ${TOKEN}`);
      if (/throttled|forbidden|unauthorized|permanent|cut/.test(about)) {
        expect(thrown.length).toBeGreaterThan(0);
      }
    }
    expectNoSecret(texts, [TOKEN, VALUE]);
  });

  test("of_a_token_that_is_refused", async () => {
    const texts = emitted();
    const table = await newTable();
    await table.local("POST", "settings", { tokens: ["another"] });
    const network = new Network();
    const thrown = await callsOn(await open(table, network));
    expect(thrown.length).toBeGreaterThan(0);
    texts.push(...thrown.map(shown), ...visible(network));
    expectNoSecret(texts, [TOKEN, VALUE]);
  });

  test("of_a_connection_string", async () => {
    const texts = emitted();
    const table = await newTable();
    const { clusterUri = "", database } = table.options;
    await table.local("POST", "settings", { tokens: [] });
    await table.local("POST", "login", { tenant: "t", client_id: "c", secret: "another" });
    const network = new Network();
    for (const login of [
      `Application Client Id=c;Application Key=${SECRET};Authority Id=t`,
      `Application Token=${TOKEN}`,
      `Application Client Id=c;Application Key=${SECRET}`,
      `Application Key=${SECRET};Nonsense=${TOKEN}`,
    ]) {
      const text = `Data Source=${clusterUri};Initial Catalog=${database};${login}`;
      const options = { authority: clusterUri, fetch: network.fetch, deadline: 0.05 };
      const thrown = await KustoSaver.fromConnectionString(text, options).then(
        (saver) => callsOn(saver),
        (error: unknown) => [error],
      );
      expect(thrown.length).toBeGreaterThan(0);
      texts.push(...thrown.map(shown));
    }
    texts.push(...visible(network));
    expectNoSecret(texts, [TOKEN, SECRET, VALUE]);
  });
});
