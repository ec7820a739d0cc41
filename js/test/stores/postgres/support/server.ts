// Runs before the tests on PostgreSQL: finds their server by POSTGRES_URL, or starts one, and what
// the project's driver needs before it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { TestProject } from "vitest/node";

import { startNeonEndpoint } from "./neon-endpoint.js";

/** A program of `tests/local-postgres`. */
const LOCAL = new URL("../../../../../tests/local-postgres/", import.meta.url);

/** How the tests reach PostgreSQL: the name of a project of `vitest.config.ts`. */
export type Route = "pg" | "pg-prepared" | "pgbouncer" | "postgres-js" | "neon" | "pglite";

/** Where the tests run. */
export interface Target {
  readonly route: Route;
  /** The connection string of a role that may create roles and databases. */
  readonly url: string;
  /** The same for savers: through the pooler, if there is one on the route. */
  readonly saverUrl: string;
  /** The address of a server of Neon's protocol, if it is on the route. */
  readonly endpoint: string | undefined;
  /** Whether the server was started for the tests, so that they may harm it. */
  readonly isOwn: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: Target;
  }
}

type Stop = () => Promise<void>;

export default async function findServer(project: TestProject): Promise<Stop> {
  const route = project.name as Route;
  const none = { route, url: "", saverUrl: "", endpoint: undefined, isOwn: true };
  if (route === "pglite") {
    project.provide("postgres", none);
    return async () => {};
  }
  const given = process.env.POSTGRES_URL;
  const server = given === undefined ? await startServer() : { url: given, stop: async () => {} };
  const { url } = server;
  const target = { ...none, url, saverUrl: url, isOwn: given === undefined };
  const stops: Stop[] = [server.stop];
  if (route === "pgbouncer") {
    const pooler = await start("pooler.mjs", url);
    if (pooler.url === null) throw new Error("PgBouncer is not installed (Debian: pgbouncer)");
    target.saverUrl = pooler.url;
    stops.unshift(pooler.stop);
  }
  if (route === "neon") {
    const endpoint = await startNeonEndpoint();
    project.provide("postgres", { ...target, endpoint: endpoint.url });
    stops.unshift(endpoint.stop);
  } else project.provide("postgres", target);
  return async () => {
    for (const stop of stops) await stop();
  };
}

/** Starts a server that ends with `stop`, or with this process. */
export async function startServer(): Promise<{ url: string; stop: Stop }> {
  const { url, stop } = await start("server.mjs");
  if (url === null) throw new Error("PostgreSQL is not installed (Debian: postgresql)");
  return { url, stop };
}

async function start(program: string, ...given: string[]) {
  const path = fileURLToPath(new URL(program, LOCAL));
  const server = spawn(process.execPath, [path, ...given], { stdio: ["pipe", "pipe", "inherit"] });
  const url = await urlOf(server);
  const stop = async () => {
    const ended = once(server, "exit");
    server.stdin.end();
    await ended;
  };
  return { url, stop };
}

async function urlOf(server: ChildProcess): Promise<string | null> {
  if (server.stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface({ input: server.stdout })) {
    return (JSON.parse(line) as { url: string | null }).url;
  }
  throw new Error("the server ended before it was ready");
}
