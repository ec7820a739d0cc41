#!/usr/bin/env node
// The program `langgraph-checkpoint-wasm`.

import { readFileSync } from "node:fs";

import { CheckpointerError, InvalidInputError, StoreError } from "../errors.js";
import { ddlOf } from "../stores/postgres/ddl.js";
import { SCHEMA } from "../stores/postgres/options.js";
import { parsed } from "./cli/arguments.js";
import { type Command, EXIT, type ExitCode, UsageError } from "./cli/command.js";
import { diff } from "./cli/diff.js";
import { exporting } from "./cli/export.js";
import { helpOf, helpOfAll, hintOf, PROGRAM } from "./cli/help.js";
import { importing } from "./cli/import.js";
import { likely } from "./cli/likely.js";
import { plain } from "./cli/output.js";
import { copy, deleting, deletingRuns, expire, prune, vacuum } from "./cli/removals.js";
import { du, history, namespaces, show, threads, verify } from "./cli/threads.js";

const COMMANDS: Readonly<Record<string, Command>> = {
  threads,
  namespaces,
  history,
  show,
  diff,
  du,
  verify,
  copy,
  prune,
  expire,
  delete: deleting,
  "delete-runs": deletingRuns,
  vacuum,
  import: importing,
  export: exporting,
  sql: {
    usage: "sql postgres [--schema NAME]",
    does: "prints the SQL that prepares a PostgreSQL database, for savers that may not create",
    run: (args) => {
      const options = { schema: { type: "string", default: SCHEMA } } as const;
      const { positionals, values } = parsed(args, options);
      if (positionals.join() !== "postgres") throw new UsageError("name the store: postgres");
      process.stdout.write(ddlOf(values.schema));
      return EXIT.done;
    },
  },
};

async function main([name = "", ...args]: string[]): Promise<ExitCode> {
  const command = named(name);
  try {
    const end = args.indexOf("--");
    const options = [name, ...(end < 0 ? args : args.slice(0, end))];
    if (name === "help" || ["-h", "--help"].some((option) => options.includes(option))) {
      const shown = command ?? named(args[0] ?? "");
      console.log(shown === undefined ? helpOfAll(Object.values(COMMANDS)) : helpOf(shown));
      return EXIT.done;
    }
    if (["-V", "--version"].some((option) => options.includes(option))) {
      console.log(version());
      return EXIT.done;
    }
    if (command === undefined) {
      if (name === "") throw new UsageError("name a command");
      const what = name.startsWith("-") ? "option" : "command";
      throw new UsageError(`there is no ${what} ${name}${likely(name, Object.keys(COMMANDS))}`);
    }
    return await command.run(args);
  } catch (thrown) {
    const why = plain(thrown instanceof Error ? thrown.message : String(thrown));
    if (isUsage(thrown)) {
      console.error(`${why}\n${hintOf(command && name)}`);
      return EXIT.usage;
    }
    const code = thrown instanceof CheckpointerError ? thrown.code : "failed";
    console.error(`${code}: ${why}${plain(causeOf(thrown))}`);
    return EXIT.failed;
  }
}

function named(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/** The program and its version. */
function version(): string {
  const about = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return `${PROGRAM} ${JSON.parse(about).version}`;
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
  if (thrown instanceof InvalidInputError) return thrown.code.startsWith("invalid-");
  return thrown instanceof UsageError;
}

// A reader that has seen enough, as `head`, is no failure. What was asked for is done all the same.
process.stdout.on("error", (failure: NodeJS.ErrnoException) => {
  if (failure.code === "EPIPE") return;
  console.error(`output-failed: ${failure.message}`);
  process.exit(EXIT.failed);
});
process.exitCode = await main(process.argv.slice(2));
