// Tests node:sqlite with the same suite, in a Node.js that has it.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { adapterTests } from "../../../src/testing/index.js";
import { checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { nodeWithSqlite } from "../../support/newer-node.js";
import { temporaryDatabase } from "../../support/temporary.js";

const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));
/** The number of tests: the kit's, and 7 more. */
const TESTS = adapterTests({ name: "counted", open: () => ({ run: () => [] }) }).length + 7;

test("node_sqlite_conforms_and_shares_files_with_better_sqlite3", async () => {
  const [database, letter, report] = [
    temporaryDatabase(),
    temporaryDatabase(),
    temporaryDatabase(),
  ];
  writeFileSync(letter, "This is a letter, and a letter it stays. ".repeat(30));
  const saver = SqliteSaver.fromConnString(database);
  const values = { text: "a line\n".repeat(3000), big: 2n ** 70n };
  await saver.put(config("shared"), checkpoint(1, values), metadata(1), { text: 1, big: 1 });
  const bytes = Uint8Array.from([0, 255]);
  await saver.putWrites(config("shared", idOf(1)), [["bytes", bytes]], "task");

  const runner = ["node_modules/vitest/vitest.mjs", "run"];
  const reporter = ["--reporter=json", `--outputFile=${report}`];
  const suite = ["--config", "test/stores/sqlite/node-sqlite/vitest.config.ts"];
  execFileSync(nodeWithSqlite(), [...runner, ...reporter, ...suite], {
    cwd: PACKAGE,
    env: { ...process.env, CHECKPOINTS: database, NOT_A_DATABASE: letter },
    stdio: ["ignore", "ignore", "inherit"],
  });

  const outcome: unknown = JSON.parse(readFileSync(report, "utf8"));
  expect(outcome).toMatchObject({ numTotalTests: TESTS, numPassedTests: TESTS });
  const tuple = await saver.getTuple(config("shared"));
  expect(tuple?.pendingWrites).toHaveLength(2);
  saver.close();
});
