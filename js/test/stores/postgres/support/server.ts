// Runs before the tests on PostgreSQL: finds their server by POSTGRES_URL, or starts one.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { TestProject } from "vitest/node";

const SERVER = fileURLToPath(
  new URL("../../../../../tests/local-postgres/server.mjs", import.meta.url),
);

/** Where the tests run. */
export interface Target {
  /** The connection string of a role that may create roles and databases. */
  readonly url: string;
  /** Whether the server was started for the tests, so that they may harm it. */
  readonly isOwn: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: Target;
  }
}

export default async function findServer(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.POSTGRES_URL;
  if (given !== undefined) {
    project.provide("postgres", { url: given, isOwn: false });
    return async () => {};
  }
  const { url, stop } = await startServer();
  project.provide("postgres", { url, isOwn: true });
  return stop;
}

/** Starts a server that ends with `stop`, or with this process. */
export async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = spawn(process.execPath, [SERVER], { stdio: ["pipe", "pipe", "inherit"] });
  const url = await urlOf(server);
  const stop = async () => {
    const ended = once(server, "exit");
    server.stdin.end();
    await ended;
  };
  return { url, stop };
}

async function urlOf(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface({ input: server.stdout })) {
    return (JSON.parse(line) as { url: string }).url;
  }
  throw new Error("PostgreSQL ended before it was ready");
}
