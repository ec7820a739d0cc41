// Which hosts get the token, and when a new one is requested.

import { DeniedError } from "../../../src/entries/index.js";
import { KustoSaver } from "../../../src/entries/kusto.js";
import { config } from "../../support/checkpoints.js";
import { Web } from "./support/web.js";

const TOKEN = "tok-6f1e9ac2";

/** A server that accepts some tokens and then answers 400. */
function guarded(...accepted: string[]): Promise<Web> {
  return Web.open((response, { headers }) => {
    if (accepted.includes(String(headers.authorization))) response.writeHead(400).end();
    else response.writeHead(401).end();
  });
}

function open(web: Web, credential: unknown, host = "127.0.0.1"): Promise<KustoSaver> {
  const { port } = new URL(web.origin);
  return KustoSaver.fromConnectionString({
    clusterUri: `http://${host}:${port}`,
    database: "d",
    credential: credential as never,
  });
}

test("a_refused_token_is_replaced_once_and_then_the_call_is_denied", async () => {
  const web = await guarded();
  const asked: boolean[] = [];
  const saver = await open(web, ({ fresh }: { fresh: boolean }) => {
    asked.push(fresh);
    return `${TOKEN}-${asked.length}`;
  });
  const failure = await saver.getTuple(config("t")).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(DeniedError);
  expect(failure).toMatchObject({ stored: "nothing" });
  expect(asked).toEqual([false, true]);
  const carried = web.seen.map(({ headers }) => headers.authorization);
  expect(carried).toEqual([`Bearer ${TOKEN}-1`, `Bearer ${TOKEN}-2`]);
});

test("a_call_goes_on_with_the_token_that_replaced_a_refused_one", async () => {
  const web = await guarded("Bearer second");
  const saver = await open(web, ({ fresh }: { fresh: boolean }) => (fresh ? "second" : "first"));
  const failure = await saver.getTuple(config("t")).catch((thrown: unknown) => thrown);
  // The server accepts the token and answers 400.
  expect(failure).toBeInstanceOf(Error);
  expect(web.seen.map(({ headers }) => headers.authorization)).toContain("Bearer second");
});

test("a_credential_that_fails_is_named_and_nothing_is_sent", async () => {
  const web = await guarded();
  const saver = await open(web, {
    getToken: async () => {
      throw new Error(TOKEN);
    },
  });
  const failure = await saver.getTuple(config("t")).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ name: "DeniedError", code: "no-token", stored: "nothing" });
  expect(String(failure)).not.toContain(TOKEN);
  expect(web.seen).toEqual([]);
});

test.each([
  ["throws", () => Promise.reject(new RangeError("expired")), new RangeError("expired")],
  ["gives_undefined", async () => undefined, undefined],
  ["gives_null", async () => null, undefined],
])("a_credential_that_%s_is_no_token_and_its_error_the_cause", async (_, credential, cause) => {
  const web = await guarded();
  const saver = await open(web, credential);
  const calls = [saver.getTuple(config("t")), saver.putWrites(config("t", "1"), [["a", 1]], "k")];
  for (const ended of await Promise.allSettled(calls)) {
    const { reason } = ended as PromiseRejectedResult;
    expect(reason).toMatchObject({ name: "DeniedError", code: "no-token" });
    expect(reason.cause).toEqual(cause);
  }
  expect(web.seen).toEqual([]);
});

test("a_connection_that_is_refused_is_the_cause_of_the_error", async () => {
  const refused = new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  });
  const saver = await KustoSaver.fromConnectionString({
    clusterUri: "http://127.0.0.1:1",
    database: "d",
    deadline: 0.05,
    fetch: () => Promise.reject(refused),
  });
  const calls = [saver.getTuple(config("t")), saver.putWrites(config("t", "1"), [["a", 1]], "k")];
  for (const ended of await Promise.allSettled(calls)) {
    const { reason } = ended as PromiseRejectedResult;
    expect(reason).toMatchObject({ name: "UnavailableError", code: "store-unreachable" });
    expect(reason.message).toContain("connection refused");
    expect(reason.cause).toBe(refused);
  }
});

test("a_host_that_is_not_trusted_never_gets_the_token", async () => {
  const web = await guarded(`Bearer ${TOKEN}`);
  // The saver does not know that this name is of this machine.
  const { port } = new URL(web.origin);
  const sent: string[] = [];
  const saver = await KustoSaver.fromConnectionString({
    clusterUri: `http://kusto.windows.net.example:${port}`,
    database: "d",
    credential: () => TOKEN,
    fetch: async (input, init) => {
      sent.push(JSON.stringify([input, [...new Headers(init?.headers)]]));
      return new Response(null, { status: 401 });
    },
  }).catch((thrown: unknown) => thrown);
  if (saver instanceof KustoSaver) {
    await expect(saver.getTuple(config("t"))).rejects.toBeInstanceOf(Error);
  } else {
    expect(saver).toMatchObject({ name: expect.stringMatching(/Error$/) });
  }
  expect(sent.join()).not.toContain(TOKEN);
});

test("a_redirect_takes_neither_the_token_nor_the_rows_along", async () => {
  const elsewhere = await guarded(`Bearer ${TOKEN}`);
  const web = await Web.open((response) => {
    response.writeHead(307, { location: `${elsewhere.origin}/v2/rest/query` }).end();
  });
  const saver = await open(web, () => TOKEN);
  await expect(saver.getTuple(config("t"))).rejects.toBeInstanceOf(Error);
  expect(web.seen.length).toBeGreaterThan(0);
  expect(elsewhere.seen).toEqual([]);
});
