// A network that records requests, and may hold responses back.

import type { Fetch } from "../../../../src/stores/kusto/http.js";

/** A request that was sent. */
export interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Forwards requests and records them. */
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

  /** The requests that send rows. */
  get ingests(): Sent[] {
    return this.sent.filter(({ url }) => url.includes("/v1/rest/ingest/"));
  }

  /** Resolves when the next response has arrived. */
  answered(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
