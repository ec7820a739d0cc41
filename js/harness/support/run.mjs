// Runs plans in processes of their own, on one file and one log.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CALLER = fileURLToPath(new URL("caller.mjs", import.meta.url));
/** How often the size of the log is checked for a kill. */
const LOOK_MS = 2;

/** A folder that is removed after the test. */
export function temporaryFolder(test) {
  const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The paths that callers share. */
export function placeIn(folder) {
  const inside = join(folder, "inside");
  mkdirSync(inside);
  return {
    folder,
    inside,
    log: join(inside, "calls.log"),
    database: join(inside, "checkpoints.db"),
  };
}

/**
 * Runs plans at the same time, each to its end, or until it is killed once the log has `killAt`
 * bytes.
 */
export async function follow(plans, place, env = {}) {
  const rust = plans.some((plan) => plan.rust) ? rustCaller() : undefined;
  const children = plans.map((plan) => start(plan, plan.rust ? rust : undefined, place, env));
  await Promise.all(children.map(({ ready }) => ready));
  for (const { child } of children) child.stdin.end();
  return Promise.all(children.map((one) => end(one, place)));
}

function start(plan, rust, place, env) {
  const path = join(place.folder, `${plan.name}.json`);
  writeFileSync(path, JSON.stringify(plan));
  const [program, ...first] = rust === undefined ? [process.execPath, CALLER] : [rust];
  const child = spawn(program, [...first, path, place.log, place.database], {
    stdio: ["pipe", "pipe", "inherit"],
    // The recorder does not see what goes through io_uring.
    env: { ...process.env, UV_USE_IO_URING: "0", ...env },
  });
  // A dead child is reported by `end`.
  child.stdin.on("error", () => {});
  const closed = once(child, "close");
  return { plan, child, closed, ready: Promise.race([once(child.stdout, "data"), closed]) };
}

function rustCaller() {
  const path = process.env.RUST_CALLER;
  if (path !== undefined) return path;
  throw new Error("RUST_CALLER is not set: run this through `cargo xtask test`");
}

async function end({ plan, child, closed }, place) {
  const { killAt } = plan;
  const look = () => {
    const size = statSync(place.log, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= killAt) child.kill("SIGKILL");
  };
  const looking = killAt === undefined ? undefined : setInterval(look, LOOK_MS);
  const [code, signal] = await closed;
  clearInterval(looking);
  const killed = killAt !== undefined || plan.turns.some(({ kill }) => kill !== undefined);
  if (code !== 0 && !(killed && signal === "SIGKILL")) {
    throw new Error(`${plan.name} ended with ${code ?? signal}`);
  }
  return { killed: signal === "SIGKILL" };
}
