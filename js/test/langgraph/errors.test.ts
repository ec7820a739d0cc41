// Every failure is typed, says what to do, stores nothing, and leaves the saver usable.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import {
  CheckpointerError,
  CorruptError,
  InvalidInputError,
  ProtocolError,
  StorageError,
  UnsupportedFormatError,
} from "../../src/entries/index.js";
import { type SqliteOptions, SqliteSaver } from "../../src/entries/sqlite.js";
import { drive } from "../../src/planner/drive.js";
import { sharedPlanner } from "../../src/planner/shared-planner.js";
import { StorageServer } from "../../src/stores/storage-saver.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { temporaryDatabase, temporaryFolder } from "../support/temporary.js";

function open(path = ":memory:", options?: SqliteOptions): SqliteSaver {
  const saver = SqliteSaver.fromConnString(path, options);
  onTestFinished(() => saver.close());
  return saver;
}

/** The error that a promise is rejected with. */
async function refusal(promise: Promise<unknown>): Promise<CheckpointerError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof CheckpointerError))
    throw new TypeError("no error of ours", { cause: thrown });
  return thrown;
}

function rowsOf(saver: SqliteSaver): number {
  const count = (table: string) => saver.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  return Number(count("lg_checkpoints")) + Number(count("lg_writes")) + Number(count("lg_chunks"));
}

async function expectUsable(saver: SqliteSaver): Promise<void> {
  await saver.put(config("usable"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  expect((await saver.getTuple(config("usable")))?.checkpoint.channel_values).toEqual({ a: 1 });
}

describe("bad input", () => {
  const long = "x".repeat(1025);
  const ids: [string, unknown, string][] = [
    ["missing", undefined, "missing-thread-id"],
    ["empty", "", "missing-thread-id"],
    ["a fraction", 1.5, "invalid-id"],
    ["an object", { id: 1 }, "invalid-id"],
    ["a lone surrogate", "\ud800", "invalid-id"],
    ["a NUL", "a\0b", "invalid-id"],
    ["over 1 KiB", long, "oversized-id"],
  ];

  test.each(ids)("a_thread_id_that_is_%s_is_refused_by_put_and_putWrites", async (_, id, code) => {
    const saver = open();
    await expectUsable(saver);
    const before = rowsOf(saver);
    const failures = [
      await refusal(saver.put(config(id), checkpoint(1, { a: 1 }), metadata(1), { a: 1 })),
      await refusal(saver.putWrites(config(id, idOf(1)), [["a", 1]], "task")),
    ];
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(InvalidInputError);
      expect(failure.code).toBe(code);
      expect(failure.message).not.toContain(long);
    }
    expect(rowsOf(saver)).toBe(before);
    await expectUsable(saver);
  });

  test("an_id_with_half_of_a_surrogate_pair_is_named", async () => {
    const saver = open();
    const message = (name: string) =>
      `${name} contains half of a surrogate pair; pass well-formed text`;
    const refused = async (name: string, call: Promise<unknown>) => {
      expect(await refusal(call)).toMatchObject({ code: "invalid-id", message: message(name) });
    };
    await refused("thread_id", saver.getTuple(config("\ud800")));
    await refused("thread_id", all(saver.list(config("\ud800"))));
    await refused("thread_id", saver.deleteThread("\ud800"));
    await refused("checkpoint_id", saver.getTuple(config("t", "\udc00")));
    await refused("task_id", saver.putWrites(config("t", idOf(1)), [["a", 1]], "a\ud83d"));
    const before = config(undefined, "\ud800");
    await refused("before.checkpoint_id", all(saver.list(config("t"), { before })));
    await expectUsable(saver);
  });

  test("a_config_without_configurable_is_refused", async () => {
    const saver = open();
    const failure = await refusal(saver.put({}, checkpoint(1), metadata(1), {}));
    expect(failure).toMatchObject({ name: "InvalidInputError", code: "missing-thread-id" });
  });

  test("writes_without_a_checkpoint_id_are_refused", async () => {
    const failure = await refusal(open().putWrites(config("t"), [["a", 1]], "task"));
    expect(failure).toMatchObject({ name: "InvalidInputError", code: "missing-checkpoint-id" });
  });

  test.each([-1, Number.NaN])("a_limit_of_%s_is_refused", async (limit) => {
    const failure = await refusal(all(open().list(config("t"), { limit })));
    expect(failure).toMatchObject({ name: "InvalidInputError", code: "invalid-limit" });
  });

  test("malformed_names_are_refused", async () => {
    const saver = open();
    const put = saver.put(config("t"), checkpoint(1, { "\udc00": 1 }), metadata(1), {});
    expect(await refusal(put)).toMatchObject({ code: "malformed-text" });
    const writes = saver.putWrites(config("t", idOf(1)), [["a", 1]], "task", "~\ud83d");
    expect(await refusal(writes)).toMatchObject({ code: "malformed-text" });
    await expectUsable(saver);
  });

  test("a_cycle_is_refused_with_its_path_and_stores_nothing", async () => {
    const saver = open();
    await expectUsable(saver);
    const before = rowsOf(saver);
    const cycle: Record<string, unknown> = { list: [1] };
    cycle.list = [cycle];
    const put = saver.put(config("t"), checkpoint(1, { fine: 1, cycle }), metadata(1), {});
    await expect(put).rejects.toMatchObject({ code: "cyclic-value" });
    const writes = saver.putWrites(
      config("t", idOf(1)),
      [
        ["a", 1],
        ["b", cycle],
      ],
      "task",
    );
    await expect(writes).rejects.toMatchObject({ code: "cyclic-value" });
    expect(rowsOf(saver)).toBe(before);
    await expectUsable(saver);
  });

  test("bad_input_is_refused_before_the_store_is_touched", async () => {
    const saver = open();
    await refusal(saver.put(config(""), checkpoint(1), metadata(1), {}));
    expect(saver.db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()).toBe(0);
  });
});

describe("stored data", () => {
  test("a_deleted_chunk_is_named_with_its_thread_checkpoint_and_channel", async () => {
    const saver = open();
    const text = Array.from({ length: 2000 }, (_, index) => `line ${index}`).join("\n");
    await saver.put(config("t"), checkpoint(1, { text }), metadata(1), { text: 1 });
    expect(saver.db.prepare("DELETE FROM lg_chunks").run().changes).toBeGreaterThan(0);
    // The saver that put the value remembers it.
    const failure = await refusal(new SqliteSaver(saver.db).getTuple(config("t")));
    expect(failure).toBeInstanceOf(CorruptError);
    expect(failure.code).toBe("missing-chunk");
    for (const name of ["t", idOf(1), "text"]) expect(failure.message).toContain(name);
    expect(failure.message).not.toContain("line 1");
    await expectUsable(saver);
  });

  test("a_damaged_row_is_corrupt", async () => {
    const saver = open();
    await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    saver.db.prepare("UPDATE lg_records SET envelope = x'00' WHERE task_id = ''").run();
    expect(await refusal(saver.getTuple(config("t")))).toBeInstanceOf(CorruptError);
  });

  test("a_newer_format_is_refused", async () => {
    const path = temporaryDatabase();
    await expectUsable(open(path));
    const later = open(path);
    later.db.prepare("UPDATE lg_format SET format = 99").run();
    const failure = await refusal(later.getTuple(config("usable")));
    expect(failure).toBeInstanceOf(UnsupportedFormatError);
    later.db.prepare("UPDATE lg_format SET format = 1").run();
    await expectUsable(later);
  });
});

describe("stores", () => {
  const put = (saver: SqliteSaver) => saver.put(config("t"), checkpoint(1), metadata(1), {});

  test("a_file_that_is_not_a_database_is_named_so", async () => {
    const path = temporaryDatabase();
    writeFileSync(path, "This is a letter, and a letter it stays. ".repeat(30));
    const failure = await refusal(put(open(path)));
    expect(failure).toMatchObject({ name: "StorageError", code: "storage-not-a-database" });
  });

  test("a_missing_folder_is_named_so", () => {
    const path = join(temporaryFolder(), "missing", "checkpoints.db");
    expect(() => SqliteSaver.fromConnString(path)).toThrowError(
      expect.objectContaining({ code: "storage-unreachable", stored: "nothing" }),
    );
  });

  test("the_error_for_a_path_of_a_folder_says_that_a_file_is_needed", () => {
    expect(() => SqliteSaver.fromConnString(temporaryFolder())).toThrowError(
      expect.objectContaining({
        code: "storage-unreachable",
        message: expect.stringContaining("that the path is a file"),
      }),
    );
  });

  test("a_read_only_database_is_named_so", async () => {
    const path = temporaryDatabase();
    await expectUsable(open(path));
    const db = new Database(path, { readonly: true });
    onTestFinished(() => {
      db.close();
    });
    const failure = await refusal(put(new SqliteSaver(db)));
    expect(failure).toMatchObject({ code: "storage-read-only", stored: "nothing" });
  });

  test("a_lock_past_the_deadline_is_busy_and_stores_nothing", async () => {
    const path = temporaryDatabase();
    const saver = open(path, { busyDeadlineMs: 50 });
    await expectUsable(saver);
    const other = new Database(path);
    onTestFinished(() => {
      other.close();
    });
    other.exec("BEGIN IMMEDIATE");
    const failures = await Promise.all([
      refusal(put(saver)),
      refusal(saver.putWrites(config("t", idOf(1)), [["a", 1]], "task")),
    ]);
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(StorageError);
      expect(failure).toMatchObject({ code: "storage-busy", stored: "nothing" });
      expect(failure.message).toContain("nothing was stored");
    }
    other.exec("COMMIT");
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    await expectUsable(saver);
  });

  test("a_lock_that_is_released_in_time_is_waited_for", async () => {
    const path = temporaryDatabase();
    const saver = open(path, { busyDeadlineMs: 60_000 });
    await expectUsable(saver);
    const other = new Database(path);
    onTestFinished(() => {
      other.close();
    });
    other.exec("BEGIN IMMEDIATE");
    const stored = put(saver);
    const read = saver.getTuple(config("t"));
    // The first attempt is made at the end of this turn, and meets the lock.
    setImmediate(() => setImmediate(() => other.exec("COMMIT")));
    await stored;
    expect((await read)?.checkpoint.id).toBe(idOf(1));
  });

  test("a_closed_database_is_named_so", async () => {
    const saver = open();
    await expectUsable(saver);
    saver.close();
    expect(await refusal(put(saver))).toMatchObject({ code: "storage-closed" });
    expect(await refusal(saver.getTuple(config("t")))).toMatchObject({ code: "storage-closed" });
  });

  test("a_setup_that_failed_is_tried_again", async () => {
    const path = temporaryDatabase();
    const other = new Database(path);
    onTestFinished(() => {
      other.close();
    });
    other.exec("BEGIN EXCLUSIVE");
    const saver = open(path, { busyDeadlineMs: 20 });
    expect(await refusal(put(saver))).toMatchObject({ code: "storage-busy" });
    other.exec("COMMIT");
    await expectUsable(saver);
  });
});

describe("the planner", () => {
  const unable = new StorageServer({ run: () => [] });

  test("an_instance_that_fails_is_replaced", async () => {
    const saver = open();
    await expectUsable(saver);
    const nonsense = JSON.parse('{ "tag": "put", "val": {} }');
    const drivenNonsense = async () => drive(sharedPlanner(), nonsense, unable);
    const put = saver.put(config("t"), checkpoint(1), metadata(1), {});
    expect(await refusal(drivenNonsense())).toMatchObject({ code: "planner-failed" });
    // The put was under way on the failed instance.
    await put;
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
    await expectUsable(saver);
  });

  test("a_call_that_ends_before_it_begins_is_not_kept", () => {
    const nobody = { tag: "absent" } as const;
    const address = { checkpointNs: nobody, checkpointId: nobody, threadTs: nobody };
    const val = { config: { threadId: { tag: "text", val: "t" } as const, ...address } };
    const left = sharedPlanner().start({ tag: "get-tuple", val });
    left.end();
    const next = sharedPlanner().start({ tag: "get-tuple", val });
    // Both calls start here.
    expect(next.step).toHaveProperty("need.val.statements");
    expect(() => left.advance({ tag: "sql", val: [{ rows: [] }] })).toThrow(
      "was advanced after its end",
    );
    next.advance({ tag: "sql", val: [{ rows: [] }] });
    expect(next.step).toEqual({ outcome: { tag: "found", val: undefined } });
  });

  test("a_storage_adapter_that_answers_wrongly_is_found_out", async () => {
    const call = { tag: "setup" } as const;
    const driven = async () => drive(sharedPlanner(), call, unable);
    expect(await refusal(driven())).toBeInstanceOf(ProtocolError);
  });
});
