// Runs plans in processes of their own, on one file and one log.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CALLER = fileURLToPath(new URL("caller.mjs", import.meta.url));
/** How often the log is looked at for the place of a kill. */
const LOOK_MS = 2;

/** A folder that is gone after the test. */
export function temporaryFolder(test) {
  const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The paths that callers share. */
export function placeIn(folder) {
  const inside = join(folder, "inside");
  mkdirSync(inside);
  return { folder, inside, log: join(inside, "calls.log"), database: join(inside, "checkpoints.db") };
}

/** Runs a plan to its end, or to its kill when the log has `killAt` bytes. */
export async function follow(plan, place, { killAt, env } = {}) {
  const path = join(place.folder, `${plan.name}.json`);
  writeFileSync(path, JSON.stringify(plan));
  const [program, ...first] = plan.rust ? [process.env.RUST_CALLER] : [process.execPath, CALLER];
  const child = spawn(program, [...first, path, place.log, place.database], {
    stdio: ["ignore", "inherit", "inherit"],
    // What goes through the kernel's rings the recorder would not see.
    env: { ...process.env, UV_USE_IO_URING: "0", ...env },
  });
  const look = () => {
    const size = statSync(place.log, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= killAt) child.kill("SIGKILL");
  };
  const looking = killAt === undefined ? undefined : setInterval(look, LOOK_MS);
  const [code, signal] = await once(child, "close");
  clearInterval(looking);
  const killed = killAt !== undefined || plan.turns.some(({ kill }) => kill !== undefined);
  if (code !== 0 && !(killed && signal === "SIGKILL")) {
    throw new Error(`${plan.name} ended with ${code ?? signal}`);
  }
  return { code, signal };
}
