// The demo's two processes, as `cargo xtask demo` runs them.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { temporaryDatabase } from "../support/temporary.js";

const AGENT = fileURLToPath(new URL("../../demo/agent.mjs", import.meta.url));

test("a_killed_agent_is_resumed_rewound_and_forked", async () => {
  const database = temporaryDatabase();
  const args = (part: string) => [AGENT, part, database, "trip-to-lisbon"];
  const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
  const child = spawn(process.execPath, args("start"), { stdio });
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes("waiting for approval")) child.kill("SIGKILL");
  }
  expect(await closed).toEqual([null, "SIGKILL"]);

  const output = execFileSync(process.execPath, args("resume"), { encoding: "utf8", stdio });
  expect(output).toContain("Found 10 messages, and a question still open");
  expect(output).toMatch(/first +12 messages +Done\. Booked KLM/);
  expect(output).toMatch(/second +12 messages +Done\. Booked TAP/);
});
