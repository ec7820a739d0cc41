// The commands of tests/goldens/cli, whose README says how, print there what the Rust program
// prints, too.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";

import { temporaryFolder } from "../support/temporary.js";
import { PROGRAM } from "./import/program.js";

const TESTS = fileURLToPath(new URL("../../../tests", import.meta.url));
const GOLDENS = join(TESTS, "goldens/cli");
const FIXTURES = {
  v1: "v1/checkpoints.sqlite",
  damaged: "v1/checkpoints.sqlite",
  javascript: "stock/javascript-1.0.1.sqlite",
  changed: "stock/javascript-1.0.1.sqlite",
  older: "stock/javascript-1.0.1.sqlite",
  python: "stock/python-3.0.3.sqlite",
};

/** A folder with the files that the commands name. */
function prepared(): string {
  const folder = temporaryFolder();
  for (const [name, fixture] of Object.entries(FIXTURES)) {
    const path = join(folder, `${name}.db`);
    copyFileSync(join(TESTS, "fixtures", fixture), path);
    const change = join(GOLDENS, `${name}.sql`);
    if (!existsSync(change)) continue;
    const db = new Database(path);
    db.exec(readFileSync(change, "utf8"));
    db.close();
  }
  return folder;
}

/** Runs a command. Returns what it printed, as the goldens have it. */
function run(cwd: string, command: string): string {
  const words = [...command.matchAll(/(?:'[^']*'|[^ '])+/g)].map(([word]) => {
    return word.replaceAll("'", "");
  });
  const options = { cwd, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], options);
  const said = (stderr.split("\n\n")[0] ?? "").split("\n").filter((line) => line !== "");
  return `$ ${command}\n${stdout}${said.map((line) => `! ${line}\n`).join("")}exit ${status}\n`;
}

const goldens = readdirSync(GOLDENS).filter((name) => name.endsWith(".txt"));

test.each(goldens)("the_commands_of_%s_print_what_they_print_in_rust", (name) => {
  const golden = readFileSync(join(GOLDENS, name), "utf8");
  const commands = [...golden.matchAll(/^\$ (.*)$/gm)].map(([, command = ""]) => command);
  expect(commands.length).toBeGreaterThan(0);
  const folder = prepared();
  expect(commands.map((command) => run(folder, command)).join("")).toBe(golden);
});

test("the_help_has_the_usage_of_every_command", () => {
  const usages = readFileSync(join(GOLDENS, "usage.lines"), "utf8").trimEnd();
  const { stdout } = spawnSync(process.execPath, [PROGRAM, "--help"], { encoding: "utf8" });
  const [shown = ""] = stdout.split("\n\n");
  expect(shown.slice(shown.indexOf("\n") + 1)).toBe(usages);
});
