// Opens the savers, all in the same way. Each is imported when it is opened, so that a process with
// one of them has none of the others in memory.

import { strictEqual } from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";

import { configOf } from "./supersteps.mjs";

const STOCK = "@langchain/langgraph-checkpoint-sqlite";
const OURS = "langgraph-checkpoint-wasm/sqlite";
const PACKAGES = [
  STOCK,
  "@langchain/langgraph-checkpoint",
  "@langchain/langgraph",
  "@langchain/core",
  "better-sqlite3",
];
const LEVELS = { normal: 1, full: 2 };

/** The headings of the tables, by the savers' names. */
export const TITLES = {
  none: "no saver",
  stock: "stock",
  memory: "MemorySaver",
  ours: "ours",
  optIn: "ours, opt-in",
};

/** The savers' names. The last one is ours with `assumeImmutable: ["messages"]`. */
export const ALL = ["stock", "memory", "ours", "optIn"];

const MODULES = {
  stock: STOCK,
  memory: "@langchain/langgraph-checkpoint",
  ours: OURS,
  optIn: OURS,
};

const OPENERS = {
  stock: ({ SqliteSaver }, path) => SqliteSaver.fromConnString(path),
  memory: ({ MemorySaver }) => new MemorySaver(),
  ours: ({ SqliteSaver }, path, synchronous) => {
    // "full" is the default, so it is measured without the option.
    return SqliteSaver.fromConnString(path, synchronous === "full" ? {} : { synchronous });
  },
  optIn: ({ SqliteSaver }, path, synchronous) => {
    return SqliteSaver.fromConnString(path, { synchronous, assumeImmutable: ["messages"] });
  },
};

/** Imports a saver's package, to open it or so that a clock does not include it. */
export function load(name) {
  return import(MODULES[name]);
}

/** The versions of the packages, from their package.json. */
export function versions(packages = PACKAGES) {
  const own = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const others = packages.map((name) => {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return [name, JSON.parse(readFileSync(file, "utf8")).version];
  });
  return { [own.name]: own.version, ...Object.fromEntries(others) };
}

/**
 * Opens a saver on a file with a write-ahead log and this `synchronous`. Makes a first call, at
 * which savers set themselves up.
 */
export async function open(name, path, synchronous) {
  const saver = OPENERS[name](await load(name), path, synchronous);
  if (name === "stock") saver.db.pragma(`synchronous = ${synchronous}`);
  await saver.getTuple(configOf("none"));
  if (name === "memory") return saver;
  strictEqual(saver.db.pragma("journal_mode", { simple: true }), "wal");
  strictEqual(saver.db.pragma("synchronous", { simple: true }), LEVELS[synchronous]);
  return saver;
}

/** Closes a saver, moves its log into the file, and returns the bytes that it stores. */
export function close(saver, path) {
  if (saver.db === undefined) return bytesInMemory([saver.storage, saver.writes]);
  saver.db.pragma("wal_checkpoint(TRUNCATE)");
  saver.db.close();
  return statSync(path).size;
}

/** The serialized bytes that a MemorySaver keeps. */
function bytesInMemory(value) {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((total, inner) => total + bytesInMemory(inner), 0);
}
