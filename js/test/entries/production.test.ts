// Runs the programs of docs/production.md unchanged.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../support/checkpoints.js";
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

test("the_query_of_sizes_gives_the_bytes_of_each_thread_even_of_short_values", async () => {
  const [query = ""] = BLOCKS.flatMap(({ language, text }) => (language === "sql" ? [text] : []));
  const saver = SqliteSaver.fromConnString(":memory:");
  const put = async (thread: string, note: string) => {
    await saver.put(config(thread), checkpoint(1, { note }), metadata(1), { note: 1 });
  };
  await put("short", "x");
  await put("long", "x".repeat(998));
  const rows = saver.db.prepare(query).raw().all() as [string, number][];
  expect(rows.map(([thread]) => thread)).toEqual(["long", "short"]);
  const [long = 0, short = 0] = rows.map(([, bytes]) => bytes);
  expect(short).toBeGreaterThan(100);
  // The text in its quotes is one chunk; in its place, the envelope has a reference.
  expect(long - short).toBeGreaterThan(1000);
  expect(long - short).toBeLessThan(1050);
  saver.close();
});

test("the_module_for_development_servers_is_of_the_types_that_there_are", () => {
  const folder = writtenOut();
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"];
  const args = [COMPILER, ...options, "--skipLibCheck", "--types", "", "checkpointer.mts"];
  // If something is wrong, the compiler prints it and fails.
  expect(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" })).toBe("");
});
