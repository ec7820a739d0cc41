// If the file or log of an open database is deleted or replaced, no call is acknowledged.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type DatabaseClass from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, idOf, ids, metadata } from "../../support/checkpoints.js";
import { temporaryDatabase } from "../../support/temporary.js";

/** A saver with a checkpoint on a file. */
async function begun(path = temporaryDatabase()) {
  const saver = SqliteSaver.fromConnString(path);
  onTestFinished(() => saver.close());
  await put(saver, 1);
  return { path, saver };
}

function put(saver: SqliteSaver, n: number, thread = "t") {
  return saver.put(config(thread), checkpoint(n, { n }), metadata(n), { n });
}

/** Runs SQL in a process of its own, which must succeed. */
function inAnotherProcess(path: string, sql: string) {
  const script = 'require("better-sqlite3")(process.argv[1]).exec(process.argv[2])';
  execFileSync(process.execPath, ["--input-type=commonjs", "--eval", script, path, sql]);
}

const REFUSED = { code: "storage-replaced", stored: "nothing" };

test("a_put_after_the_file_was_deleted_is_not_acknowledged", async () => {
  const { path, saver } = await begun();
  rmSync(path);
  await expect(put(saver, 2)).rejects.toMatchObject(REFUSED);
  await expect(saver.getTuple(config("t"))).rejects.toMatchObject(REFUSED);
  await expect(put(saver, 3)).rejects.toMatchObject(REFUSED);
});

test("a_put_after_the_file_was_replaced_is_not_acknowledged", async () => {
  const { path, saver } = await begun();
  const other = temporaryDatabase();
  await begun(other);
  renameSync(other, path);
  await expect(put(saver, 2)).rejects.toMatchObject(REFUSED);
});

test.each(["", "-wal", "-shm"])(
  "a_put_during_which_the_file%s_is_deleted_is_not_acknowledged",
  async (suffix) => {
    const { path, saver } = await begun();
    saver.db.function("strike", () => {
      rmSync(`${path}${suffix}`);
      return null;
    });
    saver.db.exec(
      "CREATE TEMP TRIGGER struck AFTER INSERT ON lg_records BEGIN SELECT strike(); END",
    );
    await expect(put(saver, 2)).rejects.toMatchObject({
      code: "storage-replaced",
      stored: "unknown",
    });
  },
);

/** How long a folder is not trusted after it changed. */
const SETTLED_MS = 3_100;

test.each(["", "-wal", "-shm"])(
  "the_file%s_deleted_long_after_the_folder_last_changed_is_missed",
  async (suffix) => {
    const { path, saver } = await begun();
    await sleep(SETTLED_MS);
    await put(saver, 2);
    await put(saver, 3);
    rmSync(`${path}${suffix}`);
    await expect(put(saver, 4)).rejects.toMatchObject(REFUSED);
    await expect(saver.getTuple(config("t"))).rejects.toMatchObject(REFUSED);
  },
);

test("a_log_made_anew_long_ago_and_deleted_is_missed", async () => {
  const { path, saver } = await begun();
  saver.db.pragma("journal_mode = DELETE");
  // These take the inodes of the files before.
  for (const name of ["a", "b", "c"]) writeFileSync(join(dirname(path), name), "taken");
  saver.db.pragma("journal_mode = WAL");
  saver.db.prepare("SELECT count(*) FROM lg_threads").get();
  await sleep(SETTLED_MS);
  await put(saver, 2);
  await put(saver, 3);
  rmSync(`${path}-wal`);
  rmSync(`${path}-shm`);
  await expect(put(saver, 4)).rejects.toMatchObject({ code: "storage-replaced" });
});

test("a_file_replaced_before_the_first_call_is_noticed", async () => {
  const path = temporaryDatabase();
  const saver = SqliteSaver.fromConnString(path);
  onTestFinished(() => saver.close());
  rmSync(path);
  await begun(path);
  await expect(put(saver, 2)).rejects.toMatchObject({ code: "storage-replaced" });
});

test("a_put_after_the_log_was_deleted_is_not_acknowledged", async () => {
  const { path, saver } = await begun();
  rmSync(`${path}-wal`);
  await expect(put(saver, 2)).rejects.toMatchObject(REFUSED);
  await expect(put(saver, 3)).rejects.toMatchObject(REFUSED);
});

test("a_put_after_the_log_was_replaced_is_not_acknowledged", async () => {
  const { path, saver } = await begun();
  copyFileSync(`${path}-wal`, `${path}-copy`);
  renameSync(`${path}-copy`, `${path}-wal`);
  await expect(put(saver, 2)).rejects.toMatchObject(REFUSED);
});

test("a_put_after_the_index_of_the_log_was_deleted_is_not_acknowledged", async () => {
  const { path, saver } = await begun();
  rmSync(`${path}-shm`);
  await expect(put(saver, 2)).rejects.toMatchObject(REFUSED);
  // Another process makes an index of its own. Our writes must not overwrite its log.
  inAnotherProcess(path, "CREATE TABLE theirs (n)");
  await expect(put(saver, 3)).rejects.toMatchObject(REFUSED);
  inAnotherProcess(path, "INSERT INTO theirs VALUES (1)");
});

test("another_journal_mode_of_the_callers_is_no_replacement", async () => {
  const { saver } = await begun();
  saver.db.pragma("journal_mode = DELETE");
  await put(saver, 2);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(2), idOf(1)]);
});

test("a_log_that_the_connection_made_anew_is_no_replacement", async () => {
  const { path, saver } = await begun();
  saver.db.pragma("cache_size = 123");
  const schema = () => saver.db.prepare("SELECT name FROM sqlite_schema").all();
  const before = schema();
  // The old log stays under another name, so that the new one gets another inode.
  linkSync(`${path}-wal`, `${path}-old`);
  saver.db.pragma("journal_mode = DELETE");
  saver.db.pragma("journal_mode = WAL");
  await put(saver, 2);
  await put(saver, 3);
  expect(await ids(saver.list(config("t")))).toEqual([idOf(3), idOf(2), idOf(1)]);
  expect(saver.db.pragma("cache_size", { simple: true })).toBe(123);
  expect(schema()).toEqual(before);
  rmSync(`${path}-wal`);
  await expect(put(saver, 4)).rejects.toMatchObject({ code: "storage-replaced" });
});

test("a_second_library_of_SQLite_that_closes_the_file_loses_nothing_acknowledged", async () => {
  const { path, saver } = await begun();
  const folder = mkdtempSync(join(tmpdir(), "second-library-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const require = createRequire(import.meta.url);
  for (const name of ["better-sqlite3", "bindings", "file-uri-to-path"]) {
    const source = join(require.resolve("better-sqlite3/package.json"), "..", "..", name);
    cpSync(source, join(folder, "node_modules", name), { recursive: true });
  }
  const Database: typeof DatabaseClass = createRequire(join(folder, "x.js"))("better-sqlite3");
  const second = new Database(path);
  second.prepare("SELECT count(*) FROM lg_threads").all();
  second.close();
  const acknowledged = [1];
  for (const n of [2, 3, 4]) {
    const told = await put(saver, n).then(
      () => true,
      (thrown: unknown) => {
        expect(thrown).toMatchObject({ code: "storage-replaced" });
        return false;
      },
    );
    if (told) acknowledged.push(n);
  }
  // A copy of what is left if the process dies here.
  const copy = temporaryDatabase();
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const reader = SqliteSaver.fromConnString(copy);
  onTestFinished(() => reader.close());
  const found = await ids(reader.list(config("t")));
  for (const n of acknowledged) expect(found).toContain(idOf(n));
});
