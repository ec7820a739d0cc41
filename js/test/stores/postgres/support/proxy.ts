// A proxy before the server of the tests, that counts round trips and can fail.

import { connect, createServer, type Socket } from "node:net";

import { target } from "./target.js";

/** A proxy. It ends with its test. */
export class ServerProxy {
  readonly url: string;
  /** How often a client has sent something after it had got an answer, or at first. */
  roundTrips = 0;
  /**
   * What happens to the answers of the server: they pass, are kept back, or the connection is cut
   * instead of the next one. `"last"`: those of the next connection pass at its end, as one.
   */
  answers: "pass" | "keep" | "cut" | "last" = "pass";
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(port: number) {
    const url = new URL(target.url);
    url.host = `127.0.0.1:${port}`;
    this.url = url.href;
  }

  static async start(): Promise<ServerProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("a port is expected");
    const proxy = new ServerProxy(address.port);
    server.on("connection", (client) => proxy.#join(client));
    onTestFinished(() => {
      proxy.cut();
      server.close();
    });
    return proxy;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #join(client: Socket): void {
    const { hostname, port } = new URL(target.url);
    const server = connect(Number(port), hostname);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    let isAnswered = true;
    const kept: Buffer[] | undefined = this.answers === "last" ? [] : undefined;
    if (kept !== undefined) this.answers = "pass";
    client.on("data", (bytes) => {
      if (isAnswered) this.roundTrips += 1;
      isAnswered = false;
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      isAnswered = true;
      if (kept !== undefined) kept.push(bytes);
      else if (this.answers === "pass") client.write(bytes);
      else if (this.answers === "cut") {
        this.answers = "pass";
        client.destroy();
        server.destroy();
      }
    });
    server.on("end", () => client.end(Buffer.concat(kept ?? [])));
    for (const [one, other] of [pair, [server, client] as const]) {
      one.on("error", () => {});
      one.on("close", () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
