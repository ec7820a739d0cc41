#!/usr/bin/env node
// The program `langgraph-checkpoint-wasm`.

import { parseArgs } from "node:util";

import { ddlOf } from "../stores/postgres/ddl.js";
import { SCHEMA } from "../stores/postgres/options.js";

/** A command: its arguments as the usage shows them, and what it prints. */
interface Command {
  readonly usage: string;
  readonly does: string;
  run(args: string[]): string;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  sql: {
    usage: "sql postgres [--schema NAME]",
    does: "prints the SQL that prepares a PostgreSQL database, for savers that may not create",
    run: (args) => {
      const options = { schema: { type: "string", default: SCHEMA } } as const;
      const { positionals, values } = parseArgs({ args, options, allowPositionals: true });
      if (positionals.join() !== "postgres") throw new TypeError("name the store: postgres");
      return ddlOf(values.schema);
    },
  },
};

const [name = "", ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
try {
  if (command === undefined) throw new TypeError(name === "" ? "name a command" : `no ${name}`);
  process.stdout.write(command.run(args));
} catch (thrown) {
  const usages = Object.values(COMMANDS).map(({ usage, does }) => `  ${usage}\n      ${does}`);
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  console.error(`${why}\n\nusage: langgraph-checkpoint-wasm COMMAND\n${usages.join("\n")}`);
  process.exitCode = 2;
}
