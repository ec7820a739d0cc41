// Runs the programs of docs/production.md unchanged.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { blocksOf, projectFolder } from "../support/documents.js";

const BLOCKS = blocksOf("production.md");
const COMPILER = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

/** A folder with the files of the document. */
function writtenOut(): string {
  const folder = projectFolder();
  for (const { file, text } of BLOCKS) {
    if (file !== undefined) writeFileSync(join(folder, file), text);
  }
  return folder;
}

/** Serves one request, stops the server as containers are stopped, and returns its exit code. */
async function serveOne(folder: string): Promise<{ answer: string; code: unknown }> {
  const server = spawn(process.execPath, ["server.mjs"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(server, "close");
  let answer = "";
  for await (const port of createInterface({ input: server.stdout })) {
    answer = await (await fetch(`http://localhost:${port}/ana`)).text();
    server.kill("SIGTERM");
  }
  const [code] = await closed;
  return { answer, code };
}

test("a_server_that_is_stopped_closes_its_saver_and_the_next_one_goes_on", async () => {
  const folder = writtenOut();
  expect(await serveOne(folder)).toEqual({ answer: "hello, note 1\n", code: 0 });
  // SQLite deletes the log when the last connection is closed.
  expect(existsSync(join(folder, "checkpoints.db-wal"))).toBe(false);
  expect(await serveOne(folder)).toEqual({ answer: "hello, note 3\n", code: 0 });
});

test("both_backups_of_a_file_in_use_have_its_threads", async () => {
  const folder = writtenOut();
  await serveOne(folder);
  execFileSync(process.execPath, ["backup.mjs"], { cwd: folder });
  for (const name of ["backup.db", "compact.db"]) {
    const saver = SqliteSaver.fromConnString(join(folder, name));
    const tuple = await saver.getTuple({ configurable: { thread_id: "/ana" } });
    expect(tuple?.checkpoint.channel_values.notes).toEqual(["a request", "hello, note 1"]);
    saver.close();
  }
});

test("the_query_of_sizes_gives_the_bytes_of_a_threads_chunks", async () => {
  const [query = ""] = BLOCKS.flatMap(({ language, text }) => (language === "sql" ? [text] : []));
  const saver = SqliteSaver.fromConnString(":memory:");
  const thread = { configurable: { thread_id: "t", checkpoint_ns: "" } };
  const checkpoint = {
    v: 4,
    id: "1f000000-0000-6000-8000-000000000001",
    ts: "2027-01-01T00:00:00.000Z",
    channel_values: { note: "x".repeat(998) },
    channel_versions: { note: 1 },
    versions_seen: {},
  };
  await saver.put(thread, checkpoint, { source: "loop", step: 1, parents: {} }, { note: 1 });
  // The text in its quotes is one chunk.
  expect(saver.db.prepare(query).all()).toEqual([{ thread_id: "t", parts: 1, bytes: 1000 }]);
  saver.close();
});

test("the_module_for_development_servers_is_of_the_types_that_there_are", () => {
  const folder = writtenOut();
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"];
  const args = [COMPILER, ...options, "--skipLibCheck", "--types", "", "checkpointer.mts"];
  // If something is wrong, the compiler prints it and fails.
  expect(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" })).toBe("");
});
