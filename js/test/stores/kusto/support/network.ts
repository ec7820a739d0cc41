// The network as a test sees it: what was sent, and what it may hold back.

import type { Fetch } from "../../../../src/stores/kusto/http.js";

/** A request that was sent. */
export interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Sends requests on and keeps what they were. */
export class Network {
  readonly sent: Sent[] = [];
  readonly #fetch: Fetch;
  #waiting: (() => void)[] = [];

  constructor(next: Fetch = fetch) {
    this.#fetch = next;
  }

  readonly fetch: Fetch = async (input, init) => {
    const body = init?.body instanceof Uint8Array ? init.body : new Uint8Array();
    this.sent.push({ url: String(input), headers: new Headers(init?.headers), body });
    const response = await this.#fetch(input, init);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return response;
  };

  /** Those that bring rows. */
  get ingests(): Sent[] {
    return this.sent.filter(({ url }) => url.includes("/v1/rest/ingest/"));
  }

  /** Resolves when the next response has come. */
  answered(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
