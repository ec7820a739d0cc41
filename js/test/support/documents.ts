// Runs documents as programs: their blocks are written to files and run unchanged.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import Database from "better-sqlite3";

import { temporaryFolder } from "./temporary.js";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const DOCUMENTS = new URL("../../../docs/", import.meta.url);

/** What a block of commands printed, and what the document shows. */
export interface Printed {
  readonly printed: string;
  readonly shown: string;
}

export interface Block {
  readonly language: string;
  /** The name of the file that the block shows, if any. */
  readonly file: string | undefined;
  readonly text: string;
}

/** The text of a document in `docs`. */
export function documentText(path: string): string {
  return readFileSync(new URL(path, DOCUMENTS), "utf8");
}

/** The fenced blocks of a document. */
export function blocksOf(path: string): Block[] {
  return [...documentText(path).matchAll(/^```([a-z]+)(?: ([^\n]+))?\n(.*?)^```$/gms)].map(
    ([, language = "", file, text = ""]) => ({ language, file, text }),
  );
}

/** Follows a tutorial in a new folder: writes its files and runs its commands, in order. */
export function follow(path: string, environment: NodeJS.ProcessEnv = {}): Printed[] {
  const folder = projectFolder();
  const results: Printed[] = [];
  let printed = "";
  for (const { language, file, text } of blocksOf(path)) {
    if (file !== undefined) writeFileSync(join(folder, file), text);
    else if (language === "sh") printed += runCommands(folder, text, environment);
    else if (language === "text") {
      results.push({ printed, shown: text });
      printed = "";
    }
  }
  return results;
}

/** A new folder with the package and its peers. It is removed after the test. */
export function projectFolder(): string {
  const folder = temporaryFolder();
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(PACKAGE, join(modules, "langgraph-checkpoint-wasm"));
  for (const name of ["@langchain", "better-sqlite3"]) {
    symlinkSync(join(PACKAGE, "node_modules", name), join(modules, name));
  }
  return folder;
}

/** Runs the commands that start a program of the tutorial or query its database. */
function runCommands(folder: string, text: string, environment: NodeJS.ProcessEnv): string {
  const env = { ...process.env, ...environment };
  const outputs = text.split("\n").map((line) => {
    const [program, ...args] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? "",
    );
    if (program === "sqlite3") return rowsOf(join(folder, args[0] ?? ""), args[1] ?? "");
    if (program !== "node") return "";
    return execFileSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
  });
  return outputs.join("");
}

/** The rows of a query, as SQLite's command-line tool prints them. */
function rowsOf(path: string, query: string): string {
  const db = new Database(path, { readonly: true });
  try {
    const rows = db.prepare<[], unknown[]>(query).raw().all();
    return rows.map((row) => `${row.join("|")}\n`).join("");
  } finally {
    db.close();
  }
}
