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
  const said = stderr.split("\n").filter((line) => line !== "");
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

/** What the program prints on standard output. */
function printed(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
    encoding: "utf8",
  });
  expect([status, stderr], words.join(" ")).toEqual([0, ""]);
  return stdout;
}

test("the_help_has_the_usage_of_every_command", () => {
  const usages = readFileSync(join(GOLDENS, "usage.lines"), "utf8").trimEnd();
  const [shown = ""] = printed("--help").split("\n\n");
  expect(shown.slice(shown.indexOf("\n") + 1)).toBe(usages);
  expect(printed("-h")).toBe(printed("help"));
});

test("every_command_has_a_help_of_its_own", () => {
  const usages = readFileSync(join(GOLDENS, "usage.lines"), "utf8");
  const names = [...usages.matchAll(/^ {2}(\S+)/gm)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(10);
  const helps = names.map((name) => printed(name, "--help"));
  expect(helps.join("")).toBe(readFileSync(join(GOLDENS, "help.lines"), "utf8"));
  expect(printed("help", "diff")).toBe(printed("diff", "a.db", "--no", "-h"));
});

test("the_program_says_its_version", () => {
  const about = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(about);
  expect(printed("--version")).toBe(`langgraph-checkpoint-wasm ${version}\n`);
  expect(printed("threads", "-V")).toBe(printed("-V"));
});
