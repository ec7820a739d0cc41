// Bundles programs for runtimes that take one.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));

/** WebAssembly stays a module of its own, beside the scripts. */
const wasmBeside = {
  name: "wasm-beside",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, () => ({ path: "./planner.core.wasm", external: true }));
  },
};

/** The scripts of a program, by their names. What it imports later stays apart. */
export async function bundled(entry, options = {}) {
  const { build } = require("esbuild");
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    splitting: true,
    write: false,
    outdir: "/bundle",
    format: "esm",
    target: "es2024",
    platform: "browser",
    plugins: [wasmBeside],
    external: ["cloudflare:*", "node:*"],
    logLevel: "error",
    ...options,
  });
  return new Map(outputFiles.map(({ path, text }) => [path.split(/[/\\]/).at(-1), text]));
}
