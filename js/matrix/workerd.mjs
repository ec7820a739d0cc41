// Starts workerd with the worker of the cells.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { bundled } from "./bundle.mjs";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));
/** Miniflare chooses the version of workerd. */
const { version } = createRequire(require.resolve("miniflare"))("workerd/package.json");

const CORE = new URL("../generated/planner.core.wasm", import.meta.url);
const ENTRY = new URL("cells/worker.mjs", import.meta.url);

export { version as workerdVersion };

/** The modules of the worker, the entry first. */
export async function workerModules() {
  const scripts = await bundled(ENTRY, { conditions: ["workerd", "worker", "browser"] });
  const modules = [...scripts].map(([path, contents]) => ({ type: "ESModule", path, contents }));
  modules.sort((one, other) => isEntry(other) - isEntry(one));
  const core = {
    type: "CompiledWasm",
    path: "planner.core.wasm",
    contents: readFileSync(CORE),
  };
  return [...modules, core];
}

function isEntry({ path }) {
  return Number(path === "worker.js");
}

/** Starts workerd with a worker, a Durable Object and a D1 database. */
export async function startModules(modules) {
  const { Miniflare } = require("miniflare");
  const miniflare = new Miniflare({
    modules,
    compatibilityDate: "2026-05-01",
    compatibilityFlags: ["nodejs_compat"],
    durableObjects: { CHECKPOINTS: { className: "Checkpoints", useSQLite: true } },
    d1Databases: ["DB"],
  });
  await miniflare.ready;
  return {
    version,
    async ask(store, task) {
      const response = await miniflare.dispatchFetch(`http://localhost/${store}/${task}`);
      const text = await response.text();
      if (response.ok) return JSON.parse(text);
      throw new Error(text);
    },
    close: () => miniflare.dispose(),
  };
}
