#!/usr/bin/env node
// The program `langgraph-checkpoint-wasm`.

import { parseArgs } from "node:util";

import { CheckpointerError } from "../errors.js";
import { ddlOf } from "../stores/postgres/ddl.js";
import { SCHEMA } from "../stores/postgres/options.js";
import { type Command, EXIT, type ExitCode, UsageError } from "./cli/command.js";
import { diff } from "./cli/diff.js";
import { exporting } from "./cli/export.js";
import { importing } from "./cli/import.js";
import { copy, deleting, expire, prune } from "./cli/removals.js";
import { du, history, show, threads, verify } from "./cli/threads.js";

const COMMANDS: Readonly<Record<string, Command>> = {
  threads,
  history,
  show,
  diff,
  du,
  verify,
  copy,
  prune,
  expire,
  delete: deleting,
  import: importing,
  export: exporting,
  sql: {
    usage: "sql postgres [--schema NAME]",
    does: "prints the SQL that prepares a PostgreSQL database, for savers that may not create",
    run: (args) => {
      const options = { schema: { type: "string", default: SCHEMA } } as const;
      const { positionals, values } = parseArgs({ args, options, allowPositionals: true });
      if (positionals.join() !== "postgres") throw new UsageError("name the store: postgres");
      process.stdout.write(ddlOf(values.schema));
      return EXIT.done;
    },
  },
};

async function main([name = "", ...args]: string[]): Promise<ExitCode> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (["help", "--help", "-h"].includes(name)) {
    console.log(usageOf(undefined));
    return EXIT.done;
  }
  try {
    if (command === undefined) {
      throw new UsageError(name === "" ? "name a command" : `there is no command ${name}`);
    }
    return await command.run(args);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof CheckpointerError && thrown.code !== "invalid-schema") {
      console.error(`${thrown.code}: ${why}`);
      return EXIT.failed;
    }
    console.error(`${why}\n\n${usageOf(command)}`);
    return EXIT.usage;
  }
}

/** How to use a command, or all of them. */
function usageOf(command: Command | undefined): string {
  const shown = command === undefined ? Object.values(COMMANDS) : [command];
  const usages = shown.map(({ usage, does }) => `  ${usage}\n      ${does}`);
  return `usage: langgraph-checkpoint-wasm COMMAND\n${usages.join("\n")}\n\n${STORE}`;
}

const STORE = `STORE is a file of SQLite, or a postgresql:// address, with --schema NAME.
--json prints for programs.
Exit codes: 0 done, 1 not found or incomplete, 2 wrong usage, 3 failed.`;

process.exitCode = await main(process.argv.slice(2));
