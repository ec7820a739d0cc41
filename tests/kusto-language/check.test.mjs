import assert from "node:assert/strict";
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { analyze, database, decode } from "./language.mjs";
import { commands, made } from "./schema.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");
const provision = read("provision.kql");
const parts = made(provision);
// The name of a table is an option of the saver: some goldens have another one.
const [{ columns: logColumns }] = parts.tables;
const other = { name: "Other_Log", columns: logColumns };
const known = database({ ...parts, tables: [...parts.tables, other] });

// Folders with the texts that the guest sends, a file for each.
const GOLDENS = ["tests/goldens/kusto", "guest/tests/golden/kusto"];

function accepts(text) {
  assert.deepEqual(analyze(text, known).errors, [], text);
}

test("provision.kql makes a table, functions and a view with columns", () => {
  assert.deepEqual(
    parts.tables.map((table) => table.name),
    ["CheckpointLog"],
  );
  assert.deepEqual(
    parts.functions.map((one) => one.name),
    ["LiveCheckpoints", "LiveWrites", "LatestState", "ThreadElements"],
  );
  assert.deepEqual(
    parts.views.map((view) => view.name),
    ["LatestCheckpoints"],
  );
  const columns = ({ name }) => analyze(name, known).columns.map(([column]) => column);
  assert.equal(columns(parts.tables[0]).length, 25);
  assert.ok(columns(parts.views[0]).includes("sort_key"));
});

test("every column of the table is in the mapping, by its own name", () => {
  const columns = analyze("CheckpointLog", known).columns.map(([column]) => column);
  const [, entries] = /ingestion json mapping "lg_json_v1"\s*```(.*?)```/s.exec(provision);
  assert.deepEqual(
    JSON.parse(entries),
    columns.map((column) => ({ column, Properties: { Path: `$.${column}` } })),
  );
});

for (const command of commands(provision)) {
  const name = command.replace(/^(?:\/\/.*\n)+/, "").split("\n")[0];
  test(`the parser accepts, of provision.kql, ${name}`, () => accepts(command));
}

test("the grants that provision.kql shows are commands", () => {
  const shown = provision.match(/^\/\/ +(\.add .*)$/gm).map((line) => line.replace(/^\/\/ +/, ""));
  assert.equal(shown.length, 3);
  for (const command of shown) {
    accepts(command.replace("<application id>", "0").replace("<tenant id>", "contoso.com"));
  }
});

test("the parser accepts every block of KQL in docs/kusto.md", () => {
  const found = read("docs/kusto.md").matchAll(/^```kql\n(.*?)^```$/gms);
  const blocks = [...found].map(([, text]) => text);
  assert.ok(blocks.length > 5, "docs/kusto.md shows no KQL");
  for (const command of blocks.flatMap(commands)) {
    accepts(command);
  }
});

for (const folder of GOLDENS.filter((path) => existsSync(join(root, path)))) {
  const files = readdirSync(join(root, folder)).filter((file) => file.endsWith(".kql"));
  test(`${folder} holds queries and commands`, () => assert.notEqual(files.length, 0));
  for (const file of files) {
    test(`the parser accepts ${folder}/${file}`, () => accepts(read(join(folder, file))));
  }
}

const MISTAKES = [
  "CheckpointLog | where thred_id == 'a'",
  "CheckpointLog | where checkpoint_id < 'b'",
  "CheckpointLog | ordr by rev",
  "CheckpointLog | join kind=leftant (LiveWrites()) on thread_id",
  "LatestCheckpoints | where data == ''",
  "declare query_parameters(p:string); CheckpointLog | where thread_id == q",
  ".create-merge table T (a:strng)",
  ".delete table CheckpointLog records <| CheckpointLog | where thred_id == 't'",
  ".create-or-alter function F() { CheckpointLog | where thred_id == 'x' }",
];
for (const text of MISTAKES) {
  test(`a mistake is found: ${text}`, () => {
    assert.notDeepEqual(analyze(text, known).errors, []);
  });
}

// Values and the literals that the guest makes of them: a JSON array of both on each line.
const LITERALS = join(root, "tests/goldens/kusto/literals.jsonl");
const skip = existsSync(LITERALS) ? false : "the guest keeps no literals in tests/goldens/kusto";
test("the lexer takes the literals of the guest for their values", { skip }, () => {
  const lines = readFileSync(LITERALS, "utf8").trim().split("\n");
  for (const [value, literal] of lines.map((line) => JSON.parse(line))) {
    assert.equal(decode(literal), value, literal);
  }
});

test("the lexer says what literals stand for", () => {
  assert.equal(decode('"a\\"b\\\\c\\n\\u2028"'), 'a"b\\c\n\u2028');
  assert.equal(decode("@'it''s' \"!\""), "it's!");
  assert.equal(decode('"a" or 1 == 1'), undefined);
  assert.equal(decode('"unclosed'), undefined);
});
