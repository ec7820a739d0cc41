// Threads of this package, exported as lines of JSON.

import { copyFileSync, linkSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { temporaryFolder } from "../../support/temporary.js";
import { exported, imported, run } from "../import/program.js";
import { hashOf, makeStock, stockTuples } from "../import/stock.js";

const FIXTURES = fileURLToPath(new URL("../../../../tests/fixtures/stock/", import.meta.url));

function parsed(text: string) {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("there_is_a_line_for_each_checkpoint_with_its_values_as_data", async () => {
  const folder = temporaryFolder();
  const [stock, own, lines] = ["stock.db", "own.db", "lines.jsonl"].map((it) =>
    join(folder, it),
  ) as [string, string, string];
  await makeStock(stock);
  imported(stock, own);
  const report = exported(own, lines, ["--jsonl"]);
  const tuples = await stockTuples(stock);
  const all = parsed(readFileSync(lines, "utf8"));
  expect(report.stored.checkpoints).toBe(tuples.length);
  expect(all.filter(({ checkpoint }) => checkpoint !== null).length).toBe(tuples.length);
  for (const tuple of tuples) {
    const { thread_id, checkpoint_ns, checkpoint_id } = tuple.config.configurable ?? {};
    const line = all.find((line) => {
      return (
        line.thread_id === thread_id &&
        line.checkpoint_ns === checkpoint_ns &&
        line.checkpoint_id === checkpoint_id
      );
    });
    const { channel_values, ...fields } = tuple.checkpoint;
    expect(line.checkpoint).toMatchObject(fields);
    expect(Object.keys(line.checkpoint.channel_values).sort()).toEqual(
      Object.keys(channel_values).sort(),
    );
    expect(line.parent_checkpoint_id ?? undefined).toBe(
      tuple.parentConfig?.configurable?.checkpoint_id,
    );
    expect(line.metadata).toEqual(tuple.metadata);
    expect(line.writes.length).toBe(tuple.pendingWrites?.length);
  }
  const early = all.find(({ checkpoint }) => checkpoint === null);
  expect(early.writes).toEqual([
    { task_id: "task", task_path: "", idx: 0, channel: "a", type: "json", value: "early" },
  ]);
  expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
});

test("lines_go_to_the_standard_output_and_the_report_beside_it", async () => {
  const own = join(temporaryFolder(), "own.db");
  const saver = SqliteSaver.fromConnString(own);
  await saver.put(config("t"), checkpoint(1, { data: new Uint8Array([1, 2]) }), metadata(1));
  saver.close();
  const { stdout, stderr, status } = run("export", own, "-", "--jsonl", "--json");
  expect(status).toBe(0);
  const [line] = parsed(stdout);
  expect(line).toMatchObject({ thread_id: "t", types: { data: "bytes" } });
  expect(line.checkpoint.channel_values).toEqual({ data: { $bytes: "AQI=" } });
  expect(JSON.parse(stderr).threads).toMatchObject({ exported: 1 });
});

test("values_of_python_are_data_too", () => {
  const folder = temporaryFolder();
  const [stock, own] = [join(folder, "stock.db"), join(folder, "own.db")];
  copyFileSync(join(FIXTURES, "python-3.0.3.sqlite"), stock);
  imported(stock, own);
  const { stdout } = run("export", own, "-", "--jsonl");
  const all = parsed(stdout);
  expect(all.length).toBe(15);
  const notes = all.map((line) => line.checkpoint.channel_values.notes).filter(Boolean);
  expect(notes).toContainEqual(["begun", "planned"]);
  expect(JSON.stringify(notes)).toContain('{"$ext":5,"data":["langchain_core.messages.human",');
  const values = all.flatMap(({ writes }) => writes);
  expect(values).toContainEqual(expect.objectContaining({ type: "msgpack", value: ["begun"] }));
  expect(values).toContainEqual(expect.objectContaining({ type: "null", value: null }));
});

test("lines_replace_no_file_of_sqlite_and_nothing_that_is_no_file", async () => {
  const folder = temporaryFolder();
  const [own, link, log] = ["own.db", "link", "log"].map((it) => join(folder, it)) as [
    string,
    string,
    string,
  ];
  const saver = SqliteSaver.fromConnString(own);
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1));
  saver.close();
  linkSync(own, link);
  writeFileSync(log, Buffer.from("377f0682", "hex"));
  const before = hashOf(own);
  for (const target of [own, link, log, folder]) {
    const { status, stderr } = run("export", own, target, "--jsonl", "--yes");
    expect([status, stderr], target).toEqual([2, expect.stringMatching(/^TARGET is /)]);
  }
  expect([hashOf(own), hashOf(link)]).toEqual([before, before]);
  expect(readdirSync(folder).sort()).toEqual(["link", "log", "own.db"]);
});

test("a_file_is_replaced_only_if_that_is_meant", async () => {
  const folder = temporaryFolder();
  const [stock, own, lines] = ["stock.db", "own.db", "lines.jsonl"].map((it) =>
    join(folder, it),
  ) as [string, string, string];
  await makeStock(stock);
  imported(stock, own);
  exported(own, lines, ["--jsonl"]);
  const first = readFileSync(lines, "utf8");
  const { status, stderr } = run("export", own, lines, "--jsonl");
  expect([status, stderr]).toEqual([2, expect.stringContaining("--yes")]);
  exported(own, lines, ["--jsonl", "--yes"]);
  expect(readFileSync(lines, "utf8")).toBe(first);
});
