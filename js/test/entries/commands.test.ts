// The commands of the program on stores of this package, and what they print.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../support/checkpoints.js";
import { temporaryFolder } from "../support/temporary.js";
import { PROGRAM, run } from "./import/program.js";

let store: string;

beforeEach(async () => {
  store = join(temporaryFolder(), "checkpoints.db");
  const saver = SqliteSaver.fromConnString(store);
  for (const thread of [1, 2]) {
    let parent: string | undefined;
    for (const step of [1, 2, 3]) {
      const id = `1ef4f797-8335-6428-800${thread}-00000000000${step}`;
      const thread_id = `chat-${thread}`;
      const checkpoint = {
        v: 4,
        id,
        ts: `2024-04-19T17:1${thread}:0${step}.000Z`,
        channel_values: { messages: Array.from({ length: step }, (_, at) => `${at}`.repeat(200)) },
        channel_versions: { messages: step },
        versions_seen: {},
      };
      await saver.put(
        { configurable: { thread_id, ...(parent && { checkpoint_id: parent }) } },
        checkpoint,
        { source: "loop", step, parents: {}, user: thread } as never,
        { messages: step },
      );
      parent = id;
    }
  }
  saver.close();
});

const hash = () => createHash("sha256").update(readFileSync(store)).digest("hex");

test("threads_and_their_checkpoints_are_listed_as_tables", () => {
  const [columns, first, second] = run("threads", store).stdout.split("\n");
  expect(columns).toBe(
    "thread  last put                  step  checkpoints  writes  namespaces  checkpoint",
  );
  const counts = "3     3            0       1           ";
  const id = (thread: number) => `1ef4f797-8335-6428-800${thread}-000000000003`;
  expect(first).toBe(`chat-2  2024-04-19T17:12:03.000Z  ${counts}${id(2)}`);
  expect(second).toBe(`chat-1  2024-04-19T17:11:03.000Z  ${counts}${id(1)}`);
  const [header, newest] = run("history", store, "chat-1").stdout.split("\n");
  expect(header).toMatch(/^checkpoint +put +step +source +parent +channels +writes$/);
  expect(newest).toMatch(
    /^1ef4f797-8335-6428-8001-000000000003 .* loop .*000000000002 {2}messages/,
  );
});

test("every_command_prints_json_for_programs", () => {
  const rows = (...args: string[]) => {
    const lines = run(...args, "--json")
      .stdout.trimEnd()
      .split("\n");
    return lines.map((line) => JSON.parse(line));
  };
  expect(rows("threads", store, "--meta", "user=1")).toMatchObject([{ threadId: "chat-1" }]);
  expect(rows("threads", store, "--limit", "1")).toMatchObject([{ threadId: "chat-2" }]);
  expect(rows("history", store, "chat-1", "--limit", "2")).toHaveLength(2);
  const [shown] = rows("show", store, "chat-1");
  expect(shown.checkpoint.channel_values.messages).toHaveLength(3);
  expect(rows("du", store)).toMatchObject([{ threads: 2, checkpoints: 6 }]);
  expect(rows("prune", store, "chat-1", "--dry-run")).toMatchObject([{ checkpoints: 2 }]);
});

test("commands_that_read_change_no_byte_of_the_file", () => {
  const before = hash();
  const commands = [["threads"], ["history", "chat-1"], ["show", "chat-1"], ["du"]];
  for (const [name = "", ...rest] of commands) {
    expect(run(name, store, ...rest).status, name).toBe(0);
  }
  expect(run("prune", store, "chat-1", "--dry-run").status).toBe(0);
  expect(hash()).toBe(before);
});

test("a_backup_without_a_log_is_read_and_stays_as_it_is", () => {
  const backup = join(temporaryFolder(), "backup.db");
  const db = new Database(store);
  db.prepare("VACUUM INTO ?").run(backup);
  db.close();
  const before = readFileSync(backup);
  expect(run("verify", backup).status).toBe(0);
  expect(run("threads", backup).stdout).toBe(run("threads", store).stdout);
  expect(readFileSync(backup)).toEqual(before);
});

test("commands_that_remove_ask_or_take_yes", () => {
  for (const command of [
    ["prune", store, "chat-1"],
    ["delete", store, "chat-1"],
    ["expire", store, "--idle-for", "1d"],
  ]) {
    const { status, stderr } = run(...command);
    expect([status, stderr.split("\n")[0]]).toEqual([2, "this removes data: add --yes"]);
  }
  expect(run("prune", store, "chat-1", "--keep-last", "2", "--yes").status).toBe(0);
  expect(run("copy", store, "chat-1", "copy").status).toBe(0);
  expect(run("expire", store, "--idle-for", "1d", "--yes").status).toBe(0);
  expect(run("delete", store, "chat-2", "--yes").status).toBe(0);
  const left = run("threads", store, "--json").stdout.trimEnd().split("\n");
  expect(left.map((line) => [JSON.parse(line).threadId, JSON.parse(line).checkpoints])).toEqual([
    ["copy", 1],
    ["chat-1", 1],
  ]);
});

test("a_file_gives_back_what_was_deleted_from_it", async () => {
  const saver = SqliteSaver.fromConnString(store);
  const text = Array.from({ length: 100 }, (_, line) => `${line} ${"x".repeat(1000)}`);
  await saver.put(config("large"), checkpoint(1, { text }), metadata(1), { text: 1 });
  saver.close();
  const before = statSync(store).size;
  expect(run("delete", store, "large", "--yes").status).toBe(0);
  expect(statSync(store).size).toBe(before);
  const { status, stdout } = run("vacuum", store, "--json");
  const { bytes } = JSON.parse(stdout);
  expect([status, bytes > 0, statSync(store).size]).toEqual([0, true, before - bytes]);
  expect(run("vacuum", store).stdout).toMatch(/^given back\n0 B\n/);
});

test("errors_have_an_exit_code_and_say_what_to_do", () => {
  const code = (...args: string[]) => {
    const { status, stderr } = run(...args);
    return [status, stderr.split("\n")[0]?.split(":")[0]];
  };
  expect(code("show", store, "nobody")).toEqual([1, "thread nobody has nothing like that"]);
  expect(code("nonsense")).toEqual([2, "there is no command nonsense"]);
  expect(code("threads", store, "--limit", "many")).toEqual([2, "--limit is not a whole number"]);
  expect(code("threads", `${store}.gone`)).toEqual([3, "storage-unreachable"]);
  expect(code("copy", store, "chat-1", "chat-2")).toEqual([3, "existing-thread"]);
  const other = join(temporaryFolder(), "other.db");
  new Database(other).exec("CREATE TABLE checkpoints (thread_id TEXT)").close();
  expect(code("threads", other)).toEqual([
    2,
    `${other} has no store of this package; take over one of LangGraph's own by import`,
  ]);
  expect(code("threads", temporaryFolder())).toEqual([3, "storage-unreachable"]);
  expect(code("delete", store, "nobody", "--yes")).toEqual([1, "thread nobody does not exist"]);
  expect(code("verify", store, "nobody")).toEqual([1, "thread nobody has nothing like that"]);
  expect(code("prune", store, "chat-1", "--yes", "--strategy", "some")[0]).toBe(2);
  expect(code("prune", store, "chat-1", "--yes", "--keep-last", "0")[0]).toBe(2);
  const text = join(temporaryFolder(), "notes.db");
  writeFileSync(text, "no database, but long enough to be looked at".repeat(40));
  expect(code("threads", text)[0]).toBe(3);
});

test("commands_that_write_make_no_store_of_another_file", () => {
  const other = join(temporaryFolder(), "other.db");
  new Database(other).exec("CREATE TABLE users (name TEXT)").close();
  const before = readFileSync(other);
  for (const args of [["prune"], ["delete"], ["expire", "--idle-for", "1d"]]) {
    const [name = "", ...rest] = args;
    const thread = name === "expire" ? [] : ["chat-1"];
    expect(run(name, other, ...thread, ...rest, "--yes").status).toBe(2);
  }
  expect(run("copy", other, "chat-1", "chat-2").status).toBe(2);
  expect(readFileSync(other)).toEqual(before);
});

test.each([
  [["threads"], ""],
  [["export", "-", "--jsonl"], "2 threads: 2 exported"],
])("a_reader_of_%s_that_has_seen_enough_is_no_failure", async ([name = "", ...rest], report) => {
  const child = spawn(process.execPath, [PROGRAM, name, store, ...rest], { stdio: "pipe" });
  child.stdout.destroy();
  const said: string[] = [];
  child.stderr.on("data", (text) => said.push(String(text)));
  expect(await once(child, "close")).toEqual([0, null]);
  expect(said.join("").split(",")[0]).toBe(report);
});

test("help_names_every_command", () => {
  const { status, stdout } = run("--help");
  expect(status).toBe(0);
  const words =
    "threads namespaces history show diff du verify copy prune expire delete delete-runs " +
    "vacuum import export sql";
  for (const word of words.split(" ")) expect(stdout).toContain(`\n  ${word} `);
});

test("a_damaged_checkpoint_is_named_and_not_shown", () => {
  const db = new Database(store);
  db.exec("UPDATE lg_chunks SET data = zeroblob(length(data))");
  db.close();
  const { status, stdout, stderr } = run("show", store, "chat-1");
  expect([status, stdout]).toEqual([3, ""]);
  expect(stderr).toMatch(/^damaged-chunk: .*chat-1/);
});

test("a_page_whose_rows_have_vanished_is_named_in_the_program_and_by_the_saver", async () => {
  const saver = SqliteSaver.fromConnString(store);
  const text = Array.from({ length: 3000 }, (_, line) => `${line} ${"x".repeat(100)}`);
  await saver.put(config("large"), checkpoint(1, { text }), metadata(1), { text: 1 });
  saver.close();
  expect(run("verify", store).status).toBe(0);
  const db = new Database(store);
  db.pragma("journal_mode = DELETE");
  const name = "sqlite_autoindex_lg_chunks_1";
  const find = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck();
  const [root, size] = [Number(find.get(name)), Number(db.pragma("page_size", { simple: true }))];
  db.close();
  const bytes = readFileSync(store);
  const leaf = bytes.readUInt32BE((root - 1) * size + 8);
  const at = (leaf - 1) * size;
  expect([bytes[(root - 1) * size], bytes[at]]).toEqual([2, 10]);
  // The leaf has its first entry alone.
  bytes.writeUInt16BE(1, at + 3);
  writeFileSync(store, bytes);
  const { status, stdout } = run("verify", store);
  expect(status).toBe(1);
  expect(stdout).toContain("damaged-file: SQLite finds in the file: ");
  const counts = /damaged-file: table lg_chunks has \d+ rows, and its index has \d+; restore/;
  expect(stdout).toMatch(counts);
  const opened = SqliteSaver.fromConnString(store);
  const { problems } = await opened.verify();
  expect(problems).toContainEqual(
    expect.objectContaining({ threadId: "", code: "damaged-file", message: expect.any(String) }),
  );
  expect((await opened.verify("chat-1")).problems.map(({ code }) => code)).not.toContain(
    "damaged-file",
  );
  opened.close();
});

test("characters_that_a_terminal_would_obey_are_not_printed", async () => {
  const thread = "red \u001b[31m \u009b31m thread \u202e\u2066";
  const saver = SqliteSaver.fromConnString(store);
  await saver.copyThread("chat-1", thread);
  saver.close();
  const { stdout } = run("threads", store);
  expect(stdout).toContain("red \u00b7[31m \u00b731m thread \u00b7\u00b7");
  const db = new Database(store);
  db.exec("UPDATE lg_chunks SET data = zeroblob(length(data))");
  db.close();
  const all = [["threads"], ["threads", "--json"], ["show", thread], ["verify"], ["du", "\u009b"]];
  for (const [name = "", ...rest] of all) {
    const { stdout, stderr } = run(name, store, ...rest);
    for (const obeyed of ["\u001b", "\u009b", "\u202e", "\u2066"]) {
      expect(stdout + stderr, name).not.toContain(obeyed);
    }
  }
});

/** Stores values of these types and bytes as channels of a thread. Returns the checkpoint's id. */
async function putTyped(values: Record<string, [kind: string, bytes: Uint8Array]>) {
  const serde = {
    async dumpsTyped(value: unknown): Promise<[string, Uint8Array]> {
      const found = Object.values(values).find((one) => one === value);
      return found ?? ["json", Buffer.from(JSON.stringify(value))];
    },
    loadsTyped: async () => undefined,
  };
  const saver = SqliteSaver.fromConnString(store, { serde });
  const versions = Object.fromEntries(Object.keys(values).map((name) => [name, 1]));
  const put = { ...checkpoint(1, values), channel_versions: versions };
  await saver.put(config("typed"), put, metadata(1), versions);
  saver.close();
  return put.id;
}

test("texts_are_shown_as_they_are_whatever_is_in_them", async () => {
  const texts = ["\u00005", 'x"\u0000-7', "\u00005\u00006"];
  await putTyped({ texts: ["json", Buffer.from(JSON.stringify(texts))] });
  for (const args of [[], ["--json"]]) {
    const { stdout } = run("show", store, "typed", ...args);
    expect(JSON.parse(stdout).checkpoint.channel_values.texts).toEqual(texts);
  }
});

test("a_value_that_cannot_be_read_is_shown_by_its_size_and_nothing_of_it_is_printed", async () => {
  await putTyped({ broken: ["json", Buffer.from("secret")] });
  const { status, stdout, stderr } = run("show", store, "typed", "--json");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain('"broken":{"$kind":"json","bytes":6}');
});

test("extensions_inside_extensions_are_shown_as_deep_as_in_rust", async () => {
  let bytes = Buffer.from([0xc0]);
  for (let depth = 0; depth < 4000; depth += 1) {
    const head = Buffer.from([0xc9, 0, 0, 0, 0, 5]);
    head.writeUInt32BE(bytes.length, 1);
    bytes = Buffer.concat([head, bytes]);
  }
  await putTyped({ deep: ["msgpack", bytes] });
  const { stdout } = run("show", store, "typed", "--json");
  expect(stdout.split('{"$ext":5,"data":').length - 1).toBe(1022);
  expect(stdout).toContain('{"$bytes":');
});

test("an_empty_file_is_no_store", () => {
  const empty = join(temporaryFolder(), "empty.db");
  writeFileSync(empty, "");
  const { status, stderr } = run("threads", empty);
  expect([status, stderr.split("\n")[0]]).toEqual([
    2,
    `${empty} has no store of this package; take over one of LangGraph's own by import`,
  ]);
});

test("a_failure_names_which_of_two_files_it_is_about", () => {
  const view = join(temporaryFolder(), "view.db");
  new Database(view).exec("CREATE VIEW checkpoints AS SELECT 1 AS thread_id").close();
  const damaged = join(temporaryFolder(), "damaged.db");
  writeFileSync(damaged, readFileSync(store).subarray(0, 100));
  expect(run("export", store, view).stderr).toMatch(`storage-failed: ${view}: `);
  expect(run("export", damaged, view).stderr).toMatch(`storage-damaged: ${damaged}: `);
});

test("whole_numbers_that_javascript_has_not_exactly_are_shown_exactly", async () => {
  const serde = {
    async dumpsTyped(value: unknown): Promise<[string, Uint8Array]> {
      const isPacked = value instanceof Uint8Array;
      return isPacked ? ["msgpack", value] : ["json", Buffer.from(JSON.stringify(value))];
    },
    loadsTyped: async () => undefined,
  };
  const saver = SqliteSaver.fromConnString(store, { serde });
  const id = "1ef4f797-8335-6428-8001-000000000009";
  const channel_values = {
    big: new Uint8Array([0xcf, 0x80, 0, 0, 0, 0, 0, 0, 5]),
    small: new Uint8Array([0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
  };
  const checkpoint = { v: 4, id, ts: "2024-04-19T00:00:00Z", channel_values };
  await saver.put(
    { configurable: { thread_id: "packed" } },
    { ...checkpoint, channel_versions: { big: 1, small: 1 }, versions_seen: {} },
    { source: "loop", step: 1, parents: {} },
    { big: 1, small: 1 },
  );
  saver.close();
  const compared = run("diff", store, "packed", id, "--values").stdout;
  expect(compared).toContain("9223372036854775813");
  expect(compared).not.toContain("u0000");
  const { stdout } = run("show", store, "packed", "--json");
  expect(stdout).toContain('"channel_values":{"big":9223372036854775813,"small":-2}');
});
