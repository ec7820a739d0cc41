// The commands of docs/moving.md do what it says.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryFolder } from "../../support/temporary.js";
import { run } from "./program.js";
import { makeStock, ownTuples, stockTuples } from "./stock.js";

const DOCUMENT = new URL("../../../../docs/moving.md", import.meta.url);
const COMMAND = /^npx langgraph-checkpoint-wasm (.*)$/gm;

test("every_command_of_the_document_runs_and_the_last_one_has_imported", async () => {
  const folder = temporaryFolder();
  const [stock, target] = [join(folder, "old.db"), join(folder, "checkpoints.db")];
  await makeStock(stock);
  const document = readFileSync(DOCUMENT, "utf8");
  const commands = [...document.matchAll(COMMAND)].map(([, words = ""]) => words);
  expect(commands.length).toBe(2);
  for (const words of commands) {
    const args = words.split(" ").map((word) => (word.endsWith(".db") ? join(folder, word) : word));
    const { status, stderr } = run(...args);
    expect([status, stderr], words).toEqual([0, ""]);
  }
  expect(await ownTuples(target)).toStrictEqual(await stockTuples(stock));
});

test("the_document_names_every_option", () => {
  const { stderr } = run("import");
  const options = new Set(stderr.match(/--[a-z-]+/g));
  const document = readFileSync(DOCUMENT, "utf8");
  expect(options.size).toBeGreaterThan(4);
  for (const option of options) expect(document).toContain(`\`${option}`);
});
