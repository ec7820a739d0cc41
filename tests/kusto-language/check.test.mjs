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
const other = made(provision.replaceAll("CheckpointLog", "Other_Log"));
const known = database({
  tables: [...parts.tables, ...parts.templates, ...other.tables],
  functions: parts.functions,
  views: [...parts.views, ...other.views],
});

// The folder with the texts that the guest sends, a file for each.
const GOLDENS = ["tests/goldens/kusto"];

function accepts(text) {
  assert.deepEqual(analyze(text, known).errors, [], text);
}

const SHORT = ["LiveCheckpoints", "LiveWrites", "LatestState", "ThreadElements"];

test("provision.kql makes tables, functions and a view, named after the table", () => {
  const names = (list) => list.map(({ name }) => name);
  assert.deepEqual(names(parts.tables), ["CheckpointLog_Tombstones", "CheckpointLog"]);
  assert.deepEqual(names(parts.views), ["CheckpointLog_LatestCheckpoints"]);
  const ofTable = SHORT.map((name) => `CheckpointLog_${name}`);
  const short = [...SHORT, "LatestCheckpoints", "Checkpoints", "CheckpointWrites"];
  assert.deepEqual(names(parts.functions), [...ofTable, ...short]);
  const renamed = [...names(other.tables), ...names(other.views), ...names(other.functions)];
  const shared = renamed.filter((name) => !name.startsWith("Other_Log"));
  assert.deepEqual(shared, short);
});

test("the view of the newest checkpoints holds no values", () => {
  const columns = analyze("CheckpointLog_LatestCheckpoints", known).columns.map(([name]) => name);
  assert.ok(columns.includes("sort_key"));
  assert.deepEqual(
    columns.filter((name) => ["state", "metadata", "data"].includes(name)),
    [],
  );
});

test("the short names are not taken from a table that has them", () => {
  for (const name of [...SHORT, "LatestCheckpoints", "Checkpoints", "CheckpointWrites"]) {
    assert.match(provision, new RegExp(`\\.create function ifnotexists [^{]*\\) ${name}\\(`));
  }
});

test("every column of a table is in its mapping, by its own name", () => {
  for (const { name } of parts.tables) {
    const columns = analyze(name, known).columns.map(([column]) => column);
    const mapping = `table ${name} ingestion json mapping "lg_json_v\\d"\\s*\`\`\`(.*?)\`\`\``;
    const [, entries] = new RegExp(mapping, "s").exec(provision);
    assert.deepEqual(
      JSON.parse(entries),
      columns.map((column) => ({ column, Properties: { Path: `$.${column}` } })),
    );
  }
});

test("the parser accepts provision.kql as one command", () => {
  accepts(`.execute database script <|\n${provision}`);
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

// The three questions of LangGraph's guide to Kusto, as they stand there.
const GUIDE = read("tests/goldens/kusto-guide.kql");
for (const query of commands(GUIDE)) {
  const title = query.split("\n")[0].replace("// ", "");
  test(`the parser accepts the guide's query: ${title}`, () => accepts(query));
}

for (const document of ["docs/kusto.md", "docs/kusto-operations.md"]) {
  test(`the parser accepts every block of KQL in ${document}`, () => {
    const found = read(document).matchAll(/^ *```kql\n(.*?)^ *```$/gms);
    const blocks = [...found].map(([, text]) => text);
    assert.ok(blocks.length > 5, `${document} shows no KQL`);
    for (const command of blocks.flatMap(commands)) {
      accepts(command);
    }
  });
}

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
  "CheckpointLog_LatestCheckpoints | where data == ''",
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
