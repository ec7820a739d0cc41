// Requests on the network. A failure is described by a few fixed words, so that no message contains
// anything of a request or response. The thrown error becomes the cause of the call's error.

import type { HttpAnswer, HttpRequest } from "../../planner/contract.js";
import { timers } from "../../platform/timers.js";
import { causeOf, failed, TokenFailure, TokenPending, type TokenSource } from "./token.js";

/** `fetch`, or a replacement. */
export type Fetch = typeof globalThis extends { fetch: infer Own }
  ? Own
  : (url: string, init: object) => Promise<object>;

/** Sends the requests of one call. */
export class Exchange {
  readonly #fetch: Fetch;
  readonly #tokens: TokenSource;
  /** Why there was no token for the last request that needed one. */
  tokenFailure: TokenFailure | undefined;
  /** The error that the last request failed with. */
  cause: unknown;

  constructor(fetch: Fetch, tokens: TokenSource) {
    this.#fetch = fetch;
    this.#tokens = tokens;
  }

  /** Sends a request, with a token where it asks for one. */
  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const answer = await this.#answer(request);
    this.cause = causeOf(answer);
    return answer;
  }

  async #answer(request: HttpRequest): Promise<HttpAnswer> {
    if (request.authorization === "none") return send(this.#fetch, request);
    this.tokenFailure = undefined;
    try {
      const token = await this.#tokens(request.authorization === "fresh-token");
      return await send(this.#fetch, request, token);
    } catch (thrown) {
      if (thrown instanceof TokenPending) return failed(thrown.message, thrown.cause);
      if (!(thrown instanceof TokenFailure)) throw thrown;
      // The planner is told that the request was refused for its missing token.
      this.tokenFailure = thrown;
      return { tag: "response", val: { status: 401, headers: [], body: new Uint8Array() } };
    }
  }
}

/** Sends a request once, without following redirects. */
export async function send(
  fetch: Fetch,
  request: HttpRequest,
  token?: string,
): Promise<HttpAnswer> {
  try {
    const headers = new Headers(request.headers.map(([name, value]) => [name, value]));
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const init: RequestInit = {
      method: request.method,
      headers,
      redirect: "manual",
      signal: timers.abortAfter(request.timeoutMs),
    };
    if (request.method !== "GET") init.body = new Uint8Array(request.body);
    const response = await fetch(request.url, init);
    const body = await bodyOf(response, request.responseBytesMax);
    if (body === undefined) return { tag: "too-large" };
    // Browsers hide the status of a redirect.
    if (response.status === 0) return { tag: "failed", val: "redirected" };
    return {
      tag: "response",
      val: { status: response.status, headers: [...response.headers], body },
    };
  } catch (thrown) {
    return failed(wordFor(thrown), thrown);
  }
}

/**
 * The decompressed body of a response; undefined if it is longer than `most` bytes. Read in parts,
 * as a small response may decompress to more than fits in memory.
 */
async function bodyOf(response: Response, most: number): Promise<Uint8Array | undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let length = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > most) {
      // Errors of the rest do not matter.
      reader.cancel().catch(() => {});
      return undefined;
    }
    parts.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.byteLength;
  }
  return body;
}

const WORDS: Record<string, string> = {
  EAI_AGAIN: "host not found",
  ENOTFOUND: "host not found",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection broken",
  EPIPE: "connection broken",
  UND_ERR_SOCKET: "connection broken",
  ETIMEDOUT: "timed out",
  UND_ERR_BODY_TIMEOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  UND_ERR_HEADERS_TIMEOUT: "timed out",
};

function wordFor(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "no response";
  if (thrown.name === "TimeoutError") return "timed out";
  const { cause } = thrown;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
    return "certificate refused";
  }
  return Object.hasOwn(WORDS, code) ? (WORDS[code] ?? "") : "no response";
}
