// Writes one file with several hosts, one after the other. It must have the bytes that one host
// alone writes.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const LEG = fileURLToPath(new URL("cells/relay.mjs", import.meta.url));

/**
 * Returns two digests: of the file that these runners wrote, and of one that the first runner wrote
 * alone.
 */
export function relay(runners) {
  const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-relay-"));
  try {
    const [home] = runners;
    const alone = runners.map(() => home);
    return [runners, alone].map((each, index) => run(each, join(folder, `${index}.db`)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(runners, path) {
  let output = "";
  for (const [leg, { command, entry }] of runners.entries()) {
    const [program, ...flags] = command;
    const given = entry === undefined ? [] : [LEG, entry];
    output = execFileSync(program, [...flags, ...given, path, String(leg)], {
      encoding: "utf8",
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
  }
  return output.trim().split("\n").at(-1);
}
