// The runtimes of the matrix. Each yields its cells: a store, and a way to run tasks on it.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { findChromium, startBrowser } from "./browser.mjs";
import { startModules, workerdVersion, workerModules } from "./workerd.mjs";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));
const MODULES = fileURLToPath(new URL("runtimes/node_modules/", import.meta.url));
const PROCESS = fileURLToPath(new URL("cells/process.mjs", import.meta.url));
/**
 * This version of the driver is for Node.js 22 and newer. The older one aborts in recent versions
 * of Node.js 24.
 */
const DRIVER = { BETTER_SQLITE3: `${MODULES}better-sqlite3/lib/index.js` };

/** The cells of all runtimes, in the order of the table. */
export async function* runtimes() {
  for (const major of [20, 22, 24]) yield* nodeCells(major);
  yield* packagedCells("Bun", "bun", ["bun"], []);
  yield* packagedCells("Deno", "deno", ["node-sqlite"], ["run", "--allow-all"]);
  yield* workerdCells();
  yield* browserCells();
}

/** The hosts that take turns on one file. Node.js is the first and the last. */
export function relayRunners() {
  const node = { name: "Node.js", command: [process.execPath], entry: "sqlite" };
  const newer = `${MODULES}node24-${process.platform}-${process.arch}/bin/node`;
  const rust = process.env.RUST_RELAY;
  return [
    node,
    { name: "Bun", command: [`${MODULES}.bin/bun`], entry: "bun" },
    { name: "Deno", command: [`${MODULES}.bin/deno`, "run", "--allow-all"], entry: "node-sqlite" },
    { name: "Node.js 24", command: [newer], entry: "node-sqlite" },
    ...(rust === undefined ? [] : [{ name: "Rust", command: [rust] }]),
    node,
  ].filter(({ command: [program] }) => existsSync(program));
}

function* nodeCells(major) {
  const name = `node${major}-${process.platform}-${process.arch}`;
  const folder = `${MODULES}${name}`;
  const runtime = "Node.js";
  if (!existsSync(folder)) {
    const reason = `npm has no Node.js ${major} for ${process.platform} ${process.arch}`;
    yield { runtime, version: String(major), store: "sqlite", entry: "sqlite", reason };
    return;
  }
  const { version } = require(`${name}/package.json`);
  const cell = { runtime, version };
  const path = `${folder}/bin/node`;
  const start = inProcess(path, []);
  if (major < 22) {
    yield { ...cell, store: "better-sqlite3", entry: "sqlite", start, stock: true };
    const reason = "this version has no node:sqlite";
    yield { ...cell, store: "node:sqlite", entry: "node-sqlite", reason };
  } else {
    const driven = inProcess(path, [], DRIVER);
    yield { ...cell, store: "better-sqlite3", entry: "sqlite", start: driven };
    yield { ...cell, store: "node:sqlite", entry: "node-sqlite", start };
  }
}

function* packagedCells(runtime, name, stores, flags) {
  let version;
  try {
    ({ version } = require(`${name}/package.json`));
  } catch {
    const reason = `npm has no ${runtime} for ${process.platform} ${process.arch}`;
    yield { runtime, version: "", store: stores[0], entry: stores[0], reason };
    return;
  }
  for (const entry of stores) {
    const store = entry === "bun" ? "bun:sqlite" : "node:sqlite";
    const start = inProcess(`${MODULES}.bin/${name}`, flags);
    yield { runtime, version, store, entry, start };
  }
}

/** Runs every task in a process of its own. */
function inProcess(path, flags, environment = {}) {
  return async (entry) => ({
    async ask(task) {
      const output = execFileSync(path, [...flags, PROCESS, task, entry], {
        encoding: "utf8",
        env: { ...process.env, NODE_NO_WARNINGS: "1", ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      return JSON.parse(output.trim().split("\n").at(-1));
    },
    close: async () => {},
  });
}

async function* workerdCells() {
  const modules = await workerModules();
  const start = async (entry) => {
    const workerd = await startModules(modules);
    return {
      async ask(task) {
        if (task !== "cold") return workerd.ask(entry, task);
        // The first request also starts the platform's own services.
        await workerd.ask(entry, "nothing");
        const begin = performance.now();
        const answer = await workerd.ask(entry, task);
        return { ...answer, ms: performance.now() - begin };
      },
      close: workerd.close,
    };
  };
  const cell = { runtime: "workerd", version: workerdVersion, start, limited: true };
  yield { ...cell, store: "Durable Object", entry: "durable-object" };
  yield { ...cell, store: "D1", entry: "d1" };
}

async function* browserCells() {
  const { path, reason } = findChromium();
  const entry = "sqlite-wasm";
  for (const [store, place] of [
    ["sqlite-wasm, memory", "memory"],
    ["sqlite-wasm, OPFS", "opfs"],
  ]) {
    if (path === undefined) {
      yield { runtime: "Chromium", version: "", store, entry, reason };
      continue;
    }
    const version = execFileSync(path, ["--version"], { encoding: "utf8" });
    yield {
      runtime: "Chromium",
      version: /[\d.]+/.exec(version)?.[0] ?? "",
      store,
      entry,
      reloads: place === "opfs",
      start: async () => {
        const browser = await startBrowser(path);
        return {
          ask: (task, ...rest) => browser.ask(task, place, ...rest),
          reload: browser.reload,
          close: browser.close,
        };
      },
    };
  }
}

/** The first line of a failure's output or message. */
export function firstLine(thrown) {
  return String(thrown?.stderr || thrown?.message || thrown)
    .trim()
    .split("\n")[0]
    .slice(0, 200);
}
