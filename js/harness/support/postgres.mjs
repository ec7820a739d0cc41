// Servers of PostgreSQL for a test: those of `tests/local-postgres`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const LOCAL = new URL("../../../tests/local-postgres/", import.meta.url);

/** The connection string of the server of `POSTGRES_URL`, or of one that ends with the test. */
export async function postgresFor(test) {
  const url = process.env.POSTGRES_URL ?? (await start(test, "server.mjs"));
  if (url === null) throw new Error("PostgreSQL is not installed (Debian: postgresql)");
  return url;
}

/** The same through PgBouncer; null if that is not installed. */
export async function pgbouncerFor(test) {
  return start(test, "pooler.mjs", await postgresFor(test));
}

async function start(test, program, ...given) {
  const path = fileURLToPath(new URL(program, LOCAL));
  const child = spawn(process.execPath, [path, ...given], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  test.after(async () => {
    child.stdin.end();
    await closed;
  });
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line).url;
  throw new Error(`${program} ended before it was ready`);
}
