// The commands of provision.kql, and the database that they create.

import { analyze, database } from "./language.mjs";

// A script's commands, which blank lines separate. Comments stay: the parser skips them.
export function commands(script) {
  return script
    .replaceAll("\r\n", "\n")
    .split(/\n[ \t]*\n/)
    .map((block) => block.trim())
    .filter((block) => block.replace(/^\/\/.*$/gm, "").trim() !== "");
}

const WITH = /(?:with\s*\((?:"[^"]*"|[^()"])*\)\s*)?/.source;
const TABLE = /^\.create-merge table (\w+)\s*(\([^()]*\))/;
const BASED = /^\.create table (\w+) based-on (\w+)/;
const HEAD = /(\w+)\s*(\((?:[^()]|\([^()]*\))*\))/.source;
const FUNCTION = new RegExp(
  `^\\.create(?:-or-alter function| function ifnotexists) ${WITH}${HEAD}\\s*(\\{.*\\})$`,
  "s",
);
const VIEW = new RegExp(
  `^\\.create async ifnotexists materialized-view ${WITH}(\\w+) on table \\w+\\s*\\{(.*)\\}$`,
  "s",
);

// The database that a script creates.
export function made(script) {
  const bare = commands(script).map((command) => command.replace(/^(?:\/\/.*\n)+/, ""));
  const find = (pattern) => bare.map((command) => pattern.exec(command)).filter(Boolean);
  const given = new Map(find(TABLE).map(([, name, columns]) => [name, columns]));
  const based = find(BASED);
  const tables = based.map(([, name, like]) => ({ name, columns: given.get(like) }));
  // Temporary tables that others are based on; the script drops them again.
  const templates = based.map(([, , like]) => ({ name: like, columns: given.get(like) }));
  const functions = find(FUNCTION).map(([, name, parameters, body]) => ({
    name,
    parameters,
    body,
  }));
  const known = database({ tables, functions, views: [] });
  const views = find(VIEW).map(([, name, query]) => {
    const columns = analyze(query, known).columns.map(([column, type]) => `['${column}']:${type}`);
    return { name, query, columns: `(${columns.join(", ")})` };
  });
  return { tables, templates, functions, views };
}
