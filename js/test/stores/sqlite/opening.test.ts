// How a saver opens its database.

import { existsSync } from "node:fs";
import { runInNewContext } from "node:vm";

import Database from "better-sqlite3";
import { InvalidInputError, StorageError, StorageSaver } from "../../../src/entries/index.js";
import { type SqliteOptions, SqliteSaver } from "../../../src/entries/sqlite.js";
import { BetterSqlite3Connection } from "../../../src/stores/sqlite/better-sqlite3.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { expectMemory, expectOneFileOfManyNames, REFUSED } from "../../support/locations.js";
import { temporaryDatabase } from "../../support/temporary.js";

test.each(REFUSED)("the_location_%j_is_refused_and_says_what_to_write", (location, said) => {
  const open = () => SqliteSaver.fromConnString(location as string);
  expect(open).toThrow(InvalidInputError);
  expect(open).toThrow(expect.objectContaining({ code: "invalid-location" }));
  expect(open).toThrow(said);
  expect(open).not.toThrow("secret");
});

test("a_file_has_a_path_and_urls", async () => {
  await expectOneFileOfManyNames((location) => SqliteSaver.fromConnString(location));
});

test("a_database_in_memory_is_asked_for_by_name", async () => {
  await expectMemory((location) => SqliteSaver.fromConnString(location));
});

test.each([undefined, null, "checkpoints.db", {}, { prepare() {} }, { open() {}, prepare() {} }])(
  "a_saver_is_not_made_of_%o",
  (db) => {
    expect(() => new SqliteSaver(db as unknown as Database.Database)).toThrow(
      expect.objectContaining({ code: "invalid-database" }),
    );
  },
);

test("a_saver_is_not_made_of_a_closed_database", () => {
  const db = new Database(":memory:");
  db.close();
  expect(() => new SqliteSaver(db)).toThrow(expect.objectContaining({ code: "invalid-database" }));
});

test("a_database_is_closed_where_no_saver_is_made_of_it", () => {
  const opened: Database.Database[] = [];
  class Failing extends SqliteSaver {
    constructor(db: Database.Database) {
      super(db);
      opened.push(db);
      throw new RangeError("no saver");
    }
  }
  expect(() => Failing.fromConnString(":memory:")).toThrow("no saver");
  expect(opened.map(({ open }) => open)).toEqual([false]);
});

/** A subclass as many write for LangGraph's own saver: it does not pass the options on. */
class Own extends SqliteSaver {
  constructor(db: Database.Database) {
    super(db);
  }

  get mine(): string {
    return "mine";
  }
}

test.each(["full", "normal"] as const)("a_class_opens_its_own_at_%s", async (synchronous) => {
  const saver = Own.fromConnString(temporaryDatabase(), { synchronous });
  onTestFinished(() => saver.close());
  expect(saver.mine).toBe("mine");
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  // By default, the driver uses `normal` once there is a log.
  const level = saver.db.pragma("synchronous", { simple: true });
  expect(level).toBe(synchronous === "full" ? 2 : 1);
});

test("the_function_alone_opens_the_class_it_is_from", () => {
  const saver: unknown = Reflect.apply(SqliteSaver.fromConnString, undefined, [":memory:"]);
  expect(saver).toBeInstanceOf(SqliteSaver);
});

test("setup_makes_the_tables_and_does_it_again_without_a_change", async () => {
  const path = temporaryDatabase();
  const saver = SqliteSaver.fromConnString(path);
  onTestFinished(() => saver.close());
  const names = () => saver.db.prepare("SELECT name FROM sqlite_schema").pluck().all();
  await saver.setup();
  const made = names();
  expect(made).toContain("lg_records");
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  await Promise.all([saver.setup(), saver.setup()]);
  expect(names()).toEqual(made);
  const other = SqliteSaver.fromConnString(path);
  onTestFinished(() => other.close());
  await other.setup();
  expect((await other.getTuple(config("t")))?.checkpoint.channel_values).toEqual({ a: 1 });
});

test("setup_of_an_adapter_and_of_a_closed_database_do_as_calls_do", async () => {
  const options: SqliteOptions = { busyDeadlineMs: 20 };
  const saver = SqliteSaver.fromConnString(":memory:", options);
  const adapted = new StorageSaver({ run: async (batch) => saver.adapter.run(batch) });
  await adapted.setup();
  expect(await adapted.getTuple(config("t"))).toBeUndefined();
  saver.close();
  await expect(saver.setup()).rejects.toBeInstanceOf(StorageError);
});

test("a_lock_is_known_by_an_error_of_another_realm", () => {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  const thrown = runInNewContext('Object.assign(new Error("locked"), { code: "SQLITE_BUSY" })');
  expect(thrown).not.toBeInstanceOf(Error);
  const connection = new BetterSqlite3Connection(db);
  expect(connection.resultCode(thrown)).toBe(5);
  for (const other of [undefined, null, "SQLITE_BUSY", {}, { code: 5 }]) {
    expect(connection.resultCode(other)).toBeUndefined();
  }
});

const OPTIONS_REFUSED: [unknown, string, string][] = [
  [{ sync: "full" }, "unknown-option", "there is no option sync"],
  [{ busyDeadlineMS: 5 }, "unknown-option", "write busyDeadlineMs"],
  [{ synchronous: "off" }, "invalid-option", 'synchronous has to be "full" or "normal"'],
  [{ synchronous: "FULL" }, "invalid-option", "synchronous"],
  [{ synchronous: 1 }, "invalid-option", "synchronous"],
  [{ busyDeadlineMs: Number.NaN }, "invalid-option", "busyDeadlineMs has to be a number"],
  [{ busyDeadlineMs: -1 }, "invalid-option", "busyDeadlineMs"],
  [{ busyDeadlineMs: "5" }, "invalid-option", "busyDeadlineMs"],
  [{ busyDeadlineMs: Number.POSITIVE_INFINITY }, "invalid-option", "busyDeadlineMs"],
  [{ cacheBytes: "1MB" }, "invalid-option", "cacheBytes has to be a number of bytes"],
  [{ cacheBytes: -1 }, "invalid-option", "cacheBytes"],
  [{ cacheBytes: Number.NaN }, "invalid-option", "cacheBytes"],
  [{ assumeImmutable: "messages" }, "invalid-option", 'a list of channels, such as ["messages"]'],
  [{ assumeImmutable: [1] }, "invalid-option", "assumeImmutable"],
  [{ onCall: "log" }, "invalid-option", "onCall has to be a function"],
  [{ serde: {} }, "invalid-option", "dumpsTyped and loadsTyped"],
  [{ core: {} }, "invalid-option", "core has to be a WebAssembly.Module"],
  ["full", "invalid-option", "the options have to be an object"],
  [null, "invalid-option", "the options have to be an object"],
];

test.each(OPTIONS_REFUSED)(
  "the_options_%j_are_refused_before_a_file_is_made",
  (given, code, said) => {
    const path = temporaryDatabase();
    const options = given as SqliteOptions;
    const refusal = expect.objectContaining({
      name: "InvalidInputError",
      code,
      message: expect.stringContaining(said),
    });
    expect(() => SqliteSaver.fromConnString(path, options)).toThrow(refusal);
    expect(existsSync(path)).toBe(false);
    const db = new Database(":memory:");
    onTestFinished(() => {
      db.close();
    });
    if (typeof given === "object" && given !== null && "serde" in given) return;
    expect(() => new SqliteSaver(db, undefined, options)).toThrow(refusal);
    // A saver on an adapter refuses them too; options for SQLite do not exist there.
    const adapter = { run: () => [] };
    expect(() => new StorageSaver(adapter, undefined, options)).toThrow(InvalidInputError);
  },
);

test.each([[{ synchronous: "full" }], [{}], [null], ["json"]])(
  "the_serde_%j_is_refused_by_the_constructor",
  (serde) => {
    const db = new Database(":memory:");
    onTestFinished(() => {
      db.close();
    });
    const refusal = expect.objectContaining({
      code: "invalid-option",
      message: expect.stringContaining("options are the argument after it"),
    });
    expect(() => new SqliteSaver(db, serde as never)).toThrow(refusal);
    expect(() => new StorageSaver({ run: () => [] }, serde as never)).toThrow(refusal);
  },
);
