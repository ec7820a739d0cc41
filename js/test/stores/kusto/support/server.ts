// Runs before all tests: finds their cluster, or starts a local stand-in.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { TestProject } from "vitest/node";

const ROOT = fileURLToPath(new URL("../../../../../", import.meta.url));
/** The Python that `cargo xtask` installs with everything the server needs. */
const PYTHON =
  process.platform === "win32"
    ? `${ROOT}target/kusto-python/Scripts/python.exe`
    : `${ROOT}target/kusto-python/bin/python`;

/** Where the tests on Kusto run. */
export type Target =
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "local"; readonly clusterUri: string }
  | { readonly kind: "cluster"; readonly clusterUri: string; readonly database: string };

declare module "vitest" {
  interface ProvidedContext {
    kusto: Target;
  }
}

export default async function findTarget(project: TestProject): Promise<() => void> {
  const { KUSTO_CLUSTER_URI: clusterUri, KUSTO_DATABASE: database } = process.env;
  if (clusterUri !== undefined && database !== undefined) {
    project.provide("kusto", { kind: "cluster", clusterUri, database });
    return () => {};
  }
  const python = process.env.LOCAL_KUSTO_PYTHON ?? PYTHON;
  if (!existsSync(python)) {
    const reason =
      "there is no Kusto: set KUSTO_CLUSTER_URI and KUSTO_DATABASE, or let " +
      "`cargo xtask local-kusto` install the local one";
    project.provide("kusto", { kind: "none", reason });
    return () => {};
  }
  const server = start(python);
  project.provide("kusto", { kind: "local", clusterUri: await urlOf(server) });
  return () => {
    // The server has no data to save.
    server.kill("SIGKILL");
  };
}

function start(python: string): ChildProcess {
  const args = ["-B", `${ROOT}tests/local-kusto`, "--provision", `${ROOT}provision.kql`];
  return spawn(python, [...args, "--until-input-ends"], { stdio: ["pipe", "pipe", "inherit"] });
}

/** The server's URL, from the first line it prints. */
async function urlOf(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error("the local Kusto has no output");
  for await (const line of createInterface({ input: server.stdout })) {
    const { url } = JSON.parse(line) as { url: string };
    return url;
  }
  throw new Error("the local Kusto ended before it was ready");
}
