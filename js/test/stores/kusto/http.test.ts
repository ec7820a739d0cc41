// Requests on the network: what is sent, what is returned, and what is never disclosed.

import { type AddressInfo, createServer } from "node:net";
import { gzipSync } from "node:zlib";
import type { HttpRequest } from "../../../src/planner/contract.js";
import { systemClock } from "../../../src/stores/kusto/clock.js";
import { Exchange, send } from "../../../src/stores/kusto/http.js";
import { fixedToken, NO_TOKEN, tokensOf } from "../../../src/stores/kusto/token.js";
import { type Respond, Web } from "./support/web.js";

const TOKEN = "tok-6f1e9ac2";

function request(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: "POST",
    url,
    headers: [["x-ms-app", "tests"]],
    body: new Uint8Array([0, 255, 10]),
    authorization: "token",
    timeoutMs: 30_000,
    responseBytesMax: 1000,
    ...more,
  };
}

/** The origin of a server that is closed. */
async function closedOrigin(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const ok: Respond = (response) => response.end("{}");

describe("a request", () => {
  test("is_sent_as_it_is_and_its_response_comes_back_whole", async () => {
    const web = await Web.open((response) => {
      response.writeHead(418, { "x-ms-activity-id": "a" }).end(Buffer.from([1, 2, 3]));
    });
    const answer = await send(fetch, request(`${web.origin}/v1/rest/mgmt?a=b%20c`));
    const [seen] = web.seen;
    expect(seen).toMatchObject({ method: "POST", url: "/v1/rest/mgmt?a=b%20c" });
    expect(seen?.headers["x-ms-app"]).toBe("tests");
    expect([...(seen?.body ?? [])]).toEqual([0, 255, 10]);
    expect(answer).toMatchObject({
      tag: "response",
      val: { status: 418, body: new Uint8Array([1, 2, 3]) },
    });
    const { headers } = answer.tag === "response" ? answer.val : { headers: [] };
    expect(headers).toContainEqual(["x-ms-activity-id", "a"]);
  });

  test("carries_the_token_where_it_asks_for_one_and_only_there", async () => {
    const web = await Web.open(ok);
    const exchange = new Exchange(fetch, fixedToken(TOKEN));
    await exchange.answer(request(web.origin));
    await exchange.answer(request(web.origin, { authorization: "none" }));
    await new Exchange(fetch, NO_TOKEN).answer(request(web.origin));
    const carried = web.seen.map(({ headers }) => headers.authorization);
    expect(carried).toEqual([`Bearer ${TOKEN}`, undefined, undefined]);
  });

  test("is_not_sent_on_to_where_a_redirect_points", async () => {
    const elsewhere = await Web.open(ok);
    const web = await Web.open((response) => {
      response.writeHead(307, { location: elsewhere.origin }).end();
    });
    const answer = await new Exchange(fetch, fixedToken(TOKEN)).answer(request(web.origin));
    expect(answer).toMatchObject({ tag: "response", val: { status: 307 } });
    expect(elsewhere.seen).toEqual([]);
  });
});

describe("a body", () => {
  test("is_taken_up_to_the_limit_of_the_request_and_no_further", async () => {
    const web = await Web.open((response) => response.end("x".repeat(1000)));
    const whole = await send(fetch, request(web.origin));
    expect(whole).toMatchObject({ tag: "response", val: { body: { length: 1000 } } });
    const cut = await send(fetch, request(web.origin, { responseBytesMax: 999 }));
    expect(cut).toEqual({ tag: "too-large" });
  });

  test("that_unpacks_to_more_than_there_is_memory_is_not_unpacked", async () => {
    // 64 MiB in 64 KiB, sent repeatedly: only a limit ends it.
    const packed = gzipSync(Buffer.alloc(64 << 20));
    let ended = false;
    const web = await Web.open((response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.on("close", () => {
        ended = true;
      });
      const write = () => {
        while (!ended && response.write(packed));
        if (!ended) response.once("drain", write);
      };
      write();
    });
    const limit = 1 << 20;
    const answer = await send(fetch, request(web.origin, { responseBytesMax: limit }));
    expect(answer).toEqual({ tag: "too-large" });
    await vi.waitUntil(() => ended);
  });
});

describe("a failure", () => {
  const failures: [string, Respond, Partial<HttpRequest>, string][] = [
    ["a_broken_connection", (_, __, request) => request.socket.destroy(), {}, "connection broken"],
    ["silence", () => {}, { timeoutMs: 30 }, "timed out"],
    [
      "silence_in_the_body",
      (response) => response.writeHead(200, { "content-length": "9" }).write("a"),
      { timeoutMs: 30 },
      "timed out",
    ],
    [
      "a_cut_body",
      (response, _, request) => {
        response.writeHead(200, { "content-length": "9" }).write("a", () => {
          request.socket.destroy();
        });
      },
      {},
      "connection broken",
    ],
  ];

  test.each(failures)("%s_is_a_word_of_our_own", async (_, respond, more, word) => {
    const web = await Web.open(respond);
    const answer = await new Exchange(fetch, fixedToken(TOKEN)).answer(request(web.origin, more));
    expect(answer).toEqual({ tag: "failed", val: word });
  });

  test("no_server_is_a_word_of_our_own", async () => {
    const refused = await send(fetch, request(await closedOrigin()));
    expect(refused).toEqual({ tag: "failed", val: "connection refused" });
    const unknown = await send(fetch, request("http://no-such-host.invalid/secret"));
    expect(unknown).toEqual({ tag: "failed", val: "host not found" });
  });

  test("what_a_fetch_throws_is_not_passed_on", async () => {
    const failing = async () => {
      throw new TypeError(`${TOKEN} in the message`, { cause: new Error(TOKEN) });
    };
    const answer = await new Exchange(failing, fixedToken(TOKEN)).answer(request("http://a/"));
    expect(answer).toEqual({ tag: "failed", val: "no response" });
  });
});

describe("a credential", () => {
  const cluster = "https://name.region.kusto.windows.net/";
  const hour = 3_600_000;

  test("is_asked_once_for_a_token_that_lasts_and_again_for_a_fresh_one", async () => {
    const scopes: unknown[] = [];
    const credential = {
      getToken: async (scope: string | string[]) => {
        scopes.push(scope);
        return { token: `token-${scopes.length}`, expiresOnTimestamp: Date.now() + hour };
      },
    };
    const tokens = tokensOf(credential, cluster, systemClock);
    expect(await Promise.all([tokens(false), tokens(false)])).toEqual(["token-1", "token-1"]);
    expect(await tokens(false)).toBe("token-1");
    expect(await tokens(true)).toBe("token-2");
    expect(await tokens(false)).toBe("token-2");
    expect(scopes).toEqual(Array(2).fill("https://name.region.kusto.windows.net/.default"));
  });

  test("is_asked_again_where_the_last_token_is_about_to_end_or_does_not_say_when", async () => {
    let count = 0;
    const ending = tokensOf(
      () => {
        count += 1;
        return { token: `${count}`, expiresOnTimestamp: Date.now() + 60_000 };
      },
      cluster,
      systemClock,
    );
    expect([await ending(false), await ending(false)]).toEqual(["1", "2"]);
    const plain = tokensOf(() => `plain-${++count}`, cluster, systemClock);
    expect([await plain(false), await plain(false)]).toEqual(["plain-3", "plain-4"]);
  });

  test("that_is_a_function_is_told_whether_its_last_token_was_refused", async () => {
    const asked: unknown[] = [];
    const tokens = tokensOf(
      (request) => {
        asked.push(request);
        return TOKEN;
      },
      cluster,
      systemClock,
    );
    await tokens(false);
    await tokens(true);
    const scope = "https://name.region.kusto.windows.net/.default";
    expect(asked).toEqual([
      { scope, fresh: false },
      { scope, fresh: true },
    ]);
  });

  class CredentialUnavailableError extends Error {
    override readonly name = "CredentialUnavailableError";
  }
  const thrown = new CredentialUnavailableError(`${TOKEN} is wrong`);
  const useless: [string, () => unknown, string, Error?][] = [
    [
      "fails",
      () => {
        throw thrown;
      },
      "CredentialUnavailableError",
      thrown,
    ],
    ["gives_nothing", () => null, "gave none"],
    ["gives_a_number", () => ({ token: 7, expiresOnTimestamp: 0 }), "no bearer token"],
    ["gives_a_line_feed", () => `${TOKEN}\n`, "no bearer token"],
  ];

  test.each(useless)("that_%s_is_a_refusal_without_its_words", async (_, give, what, cause) => {
    const web = await Web.open(ok);
    const credential = { getToken: async () => give() as never };
    const exchange = new Exchange(fetch, tokensOf(credential, cluster, systemClock));
    const answer = await exchange.answer(request(web.origin));
    expect(answer).toMatchObject({ tag: "response", val: { status: 401 } });
    expect(exchange.tokenFailure?.message).toContain(what);
    expect(exchange.tokenFailure?.cause).toBe(cause);
    expect(exchange.tokenFailure?.stack).not.toContain(TOKEN);
    expect(web.seen).toEqual([]);
  });
});
