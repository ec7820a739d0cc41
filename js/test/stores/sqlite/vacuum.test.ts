// Giving free pages back to the file system.

import { existsSync, statSync } from "node:fs";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, ids, metadata } from "../../support/checkpoints.js";
import { temporaryDatabase } from "../../support/temporary.js";

const THREADS = 24;

/** Stores threads of about 100 KB each, and deletes all but one. */
async function shrink(saver: SqliteSaver): Promise<void> {
  for (let thread = 0; thread < THREADS; thread += 1) {
    const text = Array.from({ length: 100 }, (_, line) => `${thread} ${line} ${"x".repeat(1000)}`);
    await saver.put(config(`thread-${thread}`), checkpoint(1, { text }), metadata(1), { text: 1 });
  }
  for (let thread = 1; thread < THREADS; thread += 1) await saver.deleteThread(`thread-${thread}`);
}

const count = (db: Database.Database, pragma: string) =>
  Number(db.pragma(pragma, { simple: true }));

it("A new file gives its free pages back, and writes go on meanwhile", async () => {
  const file = temporaryDatabase();
  const saver = SqliteSaver.fromConnString(file);
  await shrink(saver);
  const [all, free] = [count(saver.db, "page_count"), count(saver.db, "freelist_count")];
  expect(free).toBeGreaterThan(500);
  expect(await saver.vacuum({ pages: 10 })).toEqual({ bytes: 10 * 4096 });
  const order: string[] = [];
  const vacuuming = saver.vacuum().then(({ bytes }) => {
    order.push("vacuumed");
    return bytes;
  });
  await saver.put(config("new"), checkpoint(1, {}), metadata(1), {});
  order.push("put");
  const bytes = await vacuuming;
  expect(order).toEqual(["put", "vacuumed"]);
  expect(count(saver.db, "freelist_count")).toBe(0);
  expect(count(saver.db, "page_count")).toBeLessThan(all - free + 10);
  saver.db.pragma("wal_checkpoint(TRUNCATE)");
  expect(statSync(file).size).toBe(count(saver.db, "page_count") * 4096);
  expect(bytes).toBeGreaterThan(490 * 4096);
  expect(await ids(saver.list(config("thread-0")))).toHaveLength(1);
  expect((await saver.verify()).problems).toEqual([]);
  expect(count(saver.db, "auto_vacuum")).toBe(2);
  saver.close();
});

it("A vacuum ends between two steps when its caller says so", async () => {
  const saver = SqliteSaver.fromConnString(":memory:");
  await shrink(saver);
  let looks = 0;
  const throwIfAborted = () => {
    looks += 1;
    if (looks > 1) throw new Error("enough");
  };
  await expect(saver.vacuum({ signal: { throwIfAborted } })).rejects.toThrow("enough");
  expect(count(saver.db, "freelist_count")).toBeGreaterThan(200);
});

it("A file that was there is left as it is, and a vacuum of it says what it needs", async () => {
  const file = temporaryDatabase();
  const before = new Database(file);
  before.exec("CREATE TABLE own (a)");
  before.close();
  const saver = SqliteSaver.fromConnString(file);
  await shrink(saver);
  expect(count(saver.db, "auto_vacuum")).toBe(0);
  await expect(saver.vacuum()).rejects.toMatchObject({ code: "no-incremental-vacuum" });
  saver.db.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
  saver.close();
  const again = SqliteSaver.fromConnString(file);
  expect(await again.vacuum()).toEqual({ bytes: 0 });
  expect(existsSync(file)).toBe(true);
  again.close();
});

it("An empty database keeps the setting that its owner chose", async () => {
  const db = new Database(":memory:");
  db.pragma("auto_vacuum = FULL");
  const saver = new SqliteSaver(db);
  await saver.setup();
  expect(count(db, "auto_vacuum")).toBe(1);
});

it("Bad options of a vacuum are refused", async () => {
  const saver = SqliteSaver.fromConnString(":memory:");
  const [wrong, unknown]: object[] = [{ pages: -1 }, { page: 1 }];
  await expect(saver.vacuum(wrong)).rejects.toMatchObject({ code: "invalid-argument" });
  await expect(saver.vacuum(unknown)).rejects.toMatchObject({ code: "unknown-option" });
});
