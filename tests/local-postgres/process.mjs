// What the programs of this folder have in common.

import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is removed when this process ends, and the user that programs are run as. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "langgraph-postgres-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const user = unprivileged();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return { folder, user };
}

/** The user that root runs programs as; undefined for everybody else. */
function unprivileged() {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const users = readFileSync("/etc/passwd", "utf8").split("\n");
    const line = users.find((it) => it.startsWith(`${name}:`));
    if (line === undefined) continue;
    const [, , uid, gid] = line.split(":");
    return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("there is no user postgres or nobody to run the program as");
}

/** A port of this machine that nobody listens on. */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port: free } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return free;
}
