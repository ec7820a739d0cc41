// How to use the program.

import type { Command } from "./command.js";

export const PROGRAM = "langgraph-checkpoint-wasm";

/** What each option means, with the name of its value. */
const OPTIONS: Readonly<Record<string, readonly [value: string, means: string]>> = {
  limit: ["N", "at most N; threads, history: 100 if left out"],
  after: ["NEXT", "goes on where a list ended, which said NEXT"],
  before: ["CHECKPOINT", "the checkpoints before this one"],
  prefix: ["TEXT", "threads whose id begins with TEXT"],
  "idle-since": ["TIME", "threads whose newest checkpoint is older: 2026-01-31, 30d"],
  meta: ["KEY=VALUE", "threads whose newest checkpoint has this in its metadata"],
  ns: ["NAMESPACE", "a subgraph's namespace; the root's if left out"],
  values: ["", "shows values, too"],
  latest: ["", "the latest state alone"],
  strategy: ["delete", "keeps nothing"],
  "keep-last": ["N", "keeps the N newest checkpoints of each namespace"],
  "newer-than": ["TIME", "keeps the checkpoints since then: 2026-01-31, 30d"],
  "idle-for": ["DURATION", "threads that nobody has used for so long: 90m, 12h, 30d"],
  pages: ["N", "at most N pages"],
  verify: ["", "compares all bytes afterwards"],
  layout: ["js|python", "the tables of LangGraph.js, or of Python's LangGraph"],
  jsonl: ["", "writes lines of JSON"],
  thread: ["ID", "this thread alone; may be given several times"],
  "dry-run": ["", "says what would be done, and changes nothing"],
  yes: ["", "does not ask"],
  "source-schema": ["NAME", "the schema of SOURCE in PostgreSQL; public if left out"],
  schema: ["NAME", "the schema in PostgreSQL; public if left out"],
  json: ["", "prints a line of JSON for each row"],
};

const STORE = `STORE is a file of SQLite, or a postgresql:// address, with --schema NAME.
--json prints for programs. COMMAND --help shows a command's options.
Exit codes: 0 done, 1 not found or incomplete, 2 wrong usage, 3 failed.`;

/** How to use all commands. */
export function helpOfAll(commands: readonly Command[]): string {
  const usages = commands.map(({ usage, does }) => `  ${usage}\n      ${does}`);
  return `usage: ${PROGRAM} COMMAND\n${usages.join("\n")}\n\n${STORE}`;
}

/** How to use a command. */
export function helpOf({ usage, does }: Command): string {
  const named = [...usage.matchAll(/--([a-z-]+)/g)].map(([, name = ""]) => name);
  const common = usage.startsWith("sql ") ? [] : ["schema", "json"];
  const options = [...new Set([...named, ...common])].map((name) => {
    const [value = "", means = ""] = OPTIONS[name] ?? [];
    return `  ${`--${name} ${value}`.padEnd(22)}${means}`;
  });
  return `usage: ${PROGRAM} ${usage}\n      ${does}\n${options.join("\n")}`;
}

/** Where to look. */
export function hintOf(name: string | undefined): string {
  return `try: ${PROGRAM} ${name === undefined ? "" : `${name} `}--help`;
}
