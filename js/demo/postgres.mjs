// Two processes with agents in one PostgreSQL database at once. One is killed, and the other goes
// on with its threads:
//
//   node postgres.mjs <schema> [<connection string>]
//
// Without a server the database is PGlite's, in a temporary folder. Only one process can have that
// open, so the second one starts when the first is dead.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { openPostgres } from "./store.mjs";

const TEAM = fileURLToPath(new URL("team.mjs", import.meta.url));
const THREADS = { one: ["alice", "bob"], two: ["carol", "dave"] };

const [schema, url] = process.argv.slice(2);
const place = url ?? mkdtempSync(join(tmpdir(), "langgraph-demo-"));
if (url === undefined) process.on("exit", () => rmSync(place, { recursive: true, force: true }));

function heading(text) {
  console.log(`\n${text}\n${"-".repeat(text.length)}\n`);
}

/** Starts a process. `waits` resolves when it waits for a person. */
function start(name) {
  const args = [TEAM, place, schema, name, ...THREADS[name]];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const waits = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      console.log(line);
      if (line.includes("waiting for approval")) resolve();
    });
    ended.then(([code, signal]) => reject(new Error(`${name} ended with ${code ?? signal}`)));
  });
  return { child, ended, waits };
}

async function kill({ child, ended }) {
  child.kill("SIGKILL");
  const [, signal] = await ended;
  console.log(`\n(one was killed: ${signal})`);
}

let two;
if (url === undefined) {
  console.log("\nThere is no PostgreSQL server: this is PGlite, which one process can have open.");
  heading("1. LangGraph.js agents talk on two threads at once, and their process is killed");
  const one = start("one");
  await one.waits;
  await kill(one);
  heading("2. Another process opens the same database, and goes on with all threads");
  two = start("two");
  await two.waits;
} else {
  heading("1. Two processes with LangGraph.js agents on two threads each, at once; one is killed");
  const one = start("one");
  two = start("two");
  await Promise.all([one.waits, two.waits]);
  await kill(one);
  heading("2. The other process goes on with its own threads, and with those of the dead one");
}
two.child.stdin.end(`${[...THREADS.one, ...THREADS.two].join(" ")}\n`);
const [code] = await two.ended;
if (code !== 0) throw new Error(`two ended with ${code}`);

heading("3. What is stored");
const checkpointer = await openPostgres(place, schema);
for (const thread of Object.values(THREADS).flat()) {
  let [checkpoints, bytes] = [0, 0];
  for await (const { checkpoint } of checkpointer.list({ configurable: { thread_id: thread } })) {
    checkpoints += 1;
    bytes += JSON.stringify(checkpoint).length;
  }
  const kilobytes = Math.round(bytes / 1000);
  console.log(`  ${thread.padEnd(8)} ${checkpoints} checkpoints hold ${kilobytes} KB of state`);
}
await checkpointer.end();
