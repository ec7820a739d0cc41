// Measures how long the program takes to import a file of LangGraph's own SqliteSaver:
//
//   node bench/import.mjs [supersteps of the long chat]
//
// The file has one long chat and 20 short ones; with the default it has 166 MB.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import Database from "better-sqlite3";

import { growChat } from "./chat.mjs";

const PROGRAM = fileURLToPath(new URL("../dist/entries/cli.js", import.meta.url));
const steps = Number(process.argv[2] ?? 400);
const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-bench-"));
const [source, target] = [join(folder, "stock.db"), join(folder, "checkpoints.db")];

/** Moves a file's log into it, and returns its size in megabytes. */
function megabytes(path) {
  const db = new Database(path);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  return statSync(path).size / 1e6;
}

/** Runs an import and returns its seconds. */
function seconds(...options) {
  const began = performance.now();
  const args = [PROGRAM, "import", source, target, "--json", ...options];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the import ended with ${status}: ${stderr}`);
  return (performance.now() - began) / 1e3;
}

try {
  const saver = SqliteSaver.fromConnString(source);
  saver.db.pragma("synchronous = off");
  await growChat(saver, "long", steps);
  for (let short = 0; short < 20; short += 1) await growChat(saver, `short-${short}`, 5);
  saver.db.close();
  const size = megabytes(source);
  const times = { "--dry-run": seconds("--dry-run"), "": seconds() };
  console.log(`${size.toFixed(1)} MB became ${megabytes(target).toFixed(2)} MB`);
  for (const [option, time] of Object.entries({
    ...times,
    "again, --verify": seconds("--verify"),
  })) {
    console.log(`import ${option}: ${time.toFixed(2)} s, ${(size / time).toFixed(0)} MB/s`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
