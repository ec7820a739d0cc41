// The commands of docs/moving.md do what it says.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryFolder } from "../../support/temporary.js";
import { run } from "./program.js";
import { makeStock, ownTuples, stockTuples } from "./stock.js";

const DOCUMENT = new URL("../../../../docs/moving.md", import.meta.url);
const COMMAND = /^npx langgraph-checkpoint-wasm (.*)$/gm;

test("every_command_of_the_document_runs_and_what_was_exported_is_what_was_imported", async () => {
  const folder = temporaryFolder();
  const [stock, target, back, lines] = ["old.db", "checkpoints.db", "back.db", "threads.jsonl"].map(
    (name) => join(folder, name),
  ) as [string, string, string, string];
  await makeStock(stock);
  const document = readFileSync(DOCUMENT, "utf8");
  const commands = [...document.matchAll(COMMAND)].map(([, words = ""]) => words);
  expect(commands.length).toBe(4);
  for (const words of commands) {
    const args = words
      .split(" ")
      .map((word) => (/\.(db|jsonl)$/.test(word) ? join(folder, word) : word));
    const { status, stderr } = run(...args);
    expect([status, stderr], words).toEqual([0, ""]);
  }
  const tuples = await stockTuples(stock);
  expect(await ownTuples(target)).toStrictEqual(tuples);
  expect(await stockTuples(back)).toStrictEqual(tuples);
  expect(readFileSync(lines, "utf8").trimEnd().split("\n").length).toBeGreaterThanOrEqual(
    tuples.length,
  );
});

test("the_document_names_every_option", () => {
  const usages = ["import", "export"].map((command) => run(command, "--help").stdout);
  const options = new Set(usages.join("\n").match(/--[a-z-]+/g));
  const document = readFileSync(DOCUMENT, "utf8");
  expect(options.size).toBeGreaterThan(4);
  for (const option of options) expect(document).toContain(`\`${option}`);
});
