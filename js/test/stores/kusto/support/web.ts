// A web server that records requests and answers as a test tells it to.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that was received. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** Answers a request. */
export type Respond = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void;

/** A server that is closed at the end of the test. */
export class Web {
  readonly origin: string;
  readonly seen: Seen[];

  private constructor(origin: string, seen: Seen[]) {
    this.origin = origin;
    this.seen = seen;
  }

  static async open(respond: Respond): Promise<Web> {
    const all: Seen[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method = "", url = "", headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks) };
      all.push(seen);
      respond(response, seen, request);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return new Web(`http://127.0.0.1:${port}`, all);
  }
}
