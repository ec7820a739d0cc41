#!/usr/bin/env node
// The program `langgraph-checkpoint-wasm`.

import { parseArgs } from "node:util";

import { CheckpointerError, InvalidInputError, StoreError } from "../errors.js";
import { ddlOf } from "../stores/postgres/ddl.js";
import { SCHEMA } from "../stores/postgres/options.js";
import { type Command, EXIT, type ExitCode, UsageError } from "./cli/command.js";
import { diff } from "./cli/diff.js";
import { exporting } from "./cli/export.js";
import { importing } from "./cli/import.js";
import { plain } from "./cli/output.js";
import { copy, deleting, expire, prune, vacuum } from "./cli/removals.js";
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
  vacuum,
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
  if (["help", "--help", "-h"].includes(name) || args[0] === "--help") {
    console.log(usageOf(command));
    return EXIT.done;
  }
  try {
    if (command === undefined) {
      throw new UsageError(name === "" ? "name a command" : `there is no command ${name}`);
    }
    return await command.run(args);
  } catch (thrown) {
    const why = plain(thrown instanceof Error ? thrown.message : String(thrown));
    if (isUsage(thrown)) {
      console.error(`${why}\n\n${usageOf(command)}`);
      return EXIT.usage;
    }
    const code = thrown instanceof CheckpointerError ? thrown.code : "failed";
    console.error(`${code}: ${why}${plain(causeOf(thrown))}`);
    return EXIT.failed;
  }
}

/** The cause of a store's failure, in words. Other causes may contain values. */
function causeOf(thrown: unknown): string {
  if (!(thrown instanceof StoreError)) return "";
  const { cause } = thrown;
  // Node.js tries each address of a host, and then says nothing itself.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error ? `\ncause: ${first.message}` : "";
}

/** Whether the command line is what was wrong. */
function isUsage(thrown: unknown): boolean {
  if (thrown instanceof UsageError) return true;
  if (thrown instanceof InvalidInputError) return thrown.code.startsWith("invalid-");
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return code.startsWith("ERR_PARSE_ARGS_");
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

// A reader that has seen enough, as `head`, is no failure. What was asked for is done all the same.
process.stdout.on("error", (failure: NodeJS.ErrnoException) => {
  if (failure.code === "EPIPE") return;
  console.error(`output-failed: ${failure.message}`);
  process.exit(EXIT.failed);
});
process.exitCode = await main(process.argv.slice(2));
