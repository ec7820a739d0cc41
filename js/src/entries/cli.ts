#!/usr/bin/env node
// The program `langgraph-checkpoint-wasm`.

import { parseArgs } from "node:util";

import { CheckpointerError } from "../errors.js";
import { ddlOf } from "../stores/postgres/ddl.js";
import { SCHEMA } from "../stores/postgres/options.js";
import { type Command, EXIT, type ExitCode, UsageError } from "./cli/command.js";
import { importing } from "./cli/import.js";

const COMMANDS: Readonly<Record<string, Command>> = {
  import: importing,
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

process.exitCode = await main(process.argv.slice(2));

async function main([name = "", ...args]: string[]): Promise<ExitCode> {
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new UsageError(name === "" ? "name a command" : `no ${name}`);
    return await command.run(args);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof CheckpointerError) {
      console.error(`${thrown.code}: ${why}`);
      return EXIT.failed;
    }
    const usages = Object.values(COMMANDS).map(({ usage, does }) => `  ${usage}\n      ${does}`);
    console.error(`${why}\n\nusage: langgraph-checkpoint-wasm COMMAND\n${usages.join("\n")}`);
    return EXIT.usage;
  }
}
