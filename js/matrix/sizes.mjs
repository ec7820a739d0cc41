// How much a program grows: an entry point with its imports, without LangGraph and drivers.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { bundled } from "./bundle.mjs";

const known = new Map();

/** The bytes of the minified JavaScript and of the core module, plain and compressed. */
export async function sizeOf(entry) {
  const size = known.get(entry) ?? (await measured(entry));
  known.set(entry, size);
  return size;
}

async function measured(entry) {
  const scripts = await bundled(new URL(`../dist/entries/${entry}.js`, import.meta.url), {
    minify: true,
    external: ["@langchain/*", "better-sqlite3", "bun:*", "node:*"],
  });
  const core = readFileSync(new URL("../generated/planner.core.wasm", import.meta.url));
  const js = Buffer.from([...scripts.values()].join(""));
  const [jsGzip, coreGzip] = [js, core].map((bytes) => gzipSync(bytes, { level: 9 }).length);
  return { js: js.length, jsGzip, core: core.length, coreGzip, gzip: jsGzip + coreGzip };
}
