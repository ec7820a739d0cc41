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
  return {
    folder,
    inside,
    log: join(inside, "calls.log"),
    database: join(inside, "checkpoints.db"),
  };
}

/** Runs plans at once, each to its end, or to its kill when the log has `killAt` bytes. */
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
    // What goes through the kernel's rings the recorder would not see.
    env: { ...process.env, UV_USE_IO_URING: "0", ...env },
  });
  // One that has died is found out when it is waited for.
  child.stdin.on("error", () => {});
  const closed = once(child, "close");
  return { plan, child, closed, ready: Promise.race([once(child.stdout, "data"), closed]) };
}

function rustCaller() {
  const path = process.env.RUST_CALLER;
  if (path !== undefined) return path;
  throw new Error("RUST_CALLER is not set: run the step of `cargo xtask test` that this is of");
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
