// Starts workerd with the worker of the cells, bundled as wrangler does it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));
const { build } = require("esbuild");
const { Miniflare } = require("miniflare");

const CORE = new URL("../generated/planner.core.wasm", import.meta.url);

/** WebAssembly is uploaded beside the worker, compiled by the platform. */
const wasmBeside = {
  name: "wasm-beside",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, () => ({ path: "./planner.core.wasm", external: true }));
  },
};

/** The text of a worker with all that it imports. */
export async function bundled(entry, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    plugins: [wasmBeside],
    ...options,
  });
  return outputFiles[0].text;
}

/** A runtime with a worker, a Durable Object and a D1 database. */
export async function startWorkerd(script) {
  return new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.mjs", contents: script },
      { type: "CompiledWasm", path: "planner.core.wasm", contents: readFileSync(CORE) },
    ],
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_compat"],
    durableObjects: { CHECKPOINTS: { className: "Checkpoints", useSQLite: true } },
    d1Databases: ["DB"],
  });
}
