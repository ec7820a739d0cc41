// A web server that notes what it is sent and answers as a test says.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** Answers a request. */
export type Respond = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void;

/** A server that is there until the test is over. */
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
