// Bundles programs for runtimes that load a bundle.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));

/** Keeps WebAssembly in a file of its own, beside the scripts. */
const wasmBeside = {
  name: "wasm-beside",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, () => ({ path: "./planner.core.wasm", external: true }));
  },
};

/** The scripts of a program, by their names. Dynamic imports become scripts of their own. */
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
