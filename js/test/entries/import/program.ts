// Runs the built program `langgraph-checkpoint-wasm`.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const PROGRAM = fileURLToPath(new URL("../../../dist/entries/cli.js", import.meta.url));

/** How a run of the program ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export function run(...args: string[]): Ended {
  return spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8" });
}

/** Imports, and returns the report. The exit code has to be `status`. */
export function imported(source: string, target: string, args: string[] = [], status = 0) {
  return reported("import", source, target, args, status);
}

/** Exports, and returns the report. The exit code has to be `status`. */
export function exported(source: string, target: string, args: string[] = [], status = 0) {
  return reported("export", source, target, args, status);
}

function reported(command: string, source: string, target: string, args: string[], status: number) {
  const ended = run(command, source, target, "--json", ...args);
  expect(ended.stderr).toBe("");
  expect(ended.status, ended.stdout).toBe(status);
  return JSON.parse(ended.stdout);
}
