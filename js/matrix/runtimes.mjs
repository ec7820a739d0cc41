// The runtimes of the matrix. Each gives its cells: a store, and how a task is asked of it.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { findChromium, startBrowser } from "./browser.mjs";
import { startWorkerd, workerModules } from "./workerd.mjs";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));
const MODULES = fileURLToPath(new URL("runtimes/node_modules/", import.meta.url));
const PROCESS = fileURLToPath(new URL("cells/process.mjs", import.meta.url));
const DRIVER = fileURLToPath(new URL("../node_modules/better-sqlite3", import.meta.url));

/** All of them, in the order of the table. */
export async function* runtimes() {
  for (const major of [20, 22, 24]) yield* nodeCells(major);
  yield* packagedCells("Bun", "bun", ["bun"], []);
  yield* packagedCells("Deno", "deno", ["node-sqlite"], ["run", "--allow-all"]);
  yield* workerdCells();
  yield* browserCells();
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
  yield { ...cell, store: "better-sqlite3", entry: "sqlite", stock: true, ...betterSqlite3(path) };
  if (major < 22) {
    const reason = "this version has no node:sqlite";
    yield { ...cell, store: "node:sqlite", entry: "node-sqlite", reason };
  } else {
    yield { ...cell, store: "node:sqlite", entry: "node-sqlite", start: inProcess(path, []) };
  }
}

/** The driver is a library of one version of Node.js; for the others it is compiled apart. */
function betterSqlite3(path) {
  const start = inProcess(path, []);
  if (loads(path, {})) return { start };
  const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
  const folder = `${MODULES}.cache/better-sqlite3-${version}`;
  const environment = { BETTER_SQLITE3_BINDING: `${folder}/build/Release/better_sqlite3.node` };
  try {
    if (!existsSync(environment.BETTER_SQLITE3_BINDING)) compile(folder, path);
    return { start: inProcess(path, [], environment) };
  } catch (thrown) {
    return { reason: `better-sqlite3 does not compile for it: ${firstLine(thrown)}` };
  }
}

function loads(path, environment) {
  const program = 'new (require("better-sqlite3"))(":memory:")';
  try {
    const options = { cwd: DRIVER, stdio: "ignore", env: { ...process.env, ...environment } };
    execFileSync(path, ["-e", program], options);
    return true;
  } catch {
    return false;
  }
}

function compile(folder, path) {
  mkdirSync(folder, { recursive: true });
  cpSync(DRIVER, folder, {
    recursive: true,
    filter: (file) => !/better-sqlite3\/build/.test(file),
  });
  const home = path.slice(0, -"/bin/node".length);
  const env = { ...process.env, PATH: `${home}/bin:${process.env.PATH}`, npm_config_nodedir: home };
  // npm brings the tool that compiles drivers along.
  const npm = execFileSync("npm", ["root", "--global"], { encoding: "utf8" }).trim();
  const gyp = ["npm/node_modules/node-gyp", "node-gyp"]
    .map((name) => `${npm}/${name}/bin/node-gyp.js`)
    .find(existsSync);
  if (gyp === undefined) throw new Error("npm has no node-gyp");
  const stdio = ["ignore", "ignore", "pipe"];
  execFileSync(path, [gyp, "rebuild", "--release"], { cwd: folder, env, stdio });
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

/** Every task in a process of its own. */
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
  const { version } = require("workerd/package.json");
  const modules = await workerModules();
  const start = async (entry) => {
    const workerd = await startWorkerd(modules);
    return {
      async ask(task) {
        if (task !== "cold") return workerd.ask(entry, task);
        // The first request starts the platform's own services too.
        await workerd.ask(entry, "nothing");
        const begin = performance.now();
        const answer = await workerd.ask(entry, task);
        return { ...answer, ms: performance.now() - begin };
      },
      close: workerd.close,
    };
  };
  const cell = { runtime: "workerd", version, start };
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

/** The first line of what a failure says. */
export function firstLine(thrown) {
  return String(thrown?.stderr || thrown?.message || thrown)
    .trim()
    .split("\n")[0]
    .slice(0, 200);
}
