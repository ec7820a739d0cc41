// How much a program grows: an entry point with its imports, without LangGraph and drivers.

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { bundled } from "./bundle.mjs";

const GENERATED = new URL("../generated/", import.meta.url);

const known = new Map();

/** The bytes of the minified JavaScript and of the core module, plain and compressed. */
export async function sizeOf(entry) {
  const size = known.get(entry) ?? (await measured(entry));
  known.set(entry, size);
  return size;
}

/** The bytes of every core module, the one of SQLite first, plain and compressed. */
export function coreSizes() {
  const names = readdirSync(GENERATED).filter((name) => name.endsWith(".core.wasm"));
  names.sort((one, other) => one.length - other.length);
  return names.map((name) => {
    const bytes = readFileSync(new URL(name, GENERATED));
    return { name, raw: bytes.length, gzip: compressed(bytes) };
  });
}

function compressed(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}

async function measured(entry) {
  const scripts = await bundled(new URL(`../dist/entries/${entry}.js`, import.meta.url), {
    minify: true,
    external: ["@langchain/*", "better-sqlite3", "bun:*", "node:*"],
  });
  const core = readFileSync(new URL("planner.core.wasm", GENERATED));
  const js = Buffer.from([...scripts.values()].join(""));
  const [jsGzip, coreGzip] = [js, core].map(compressed);
  return { js: js.length, jsGzip, core: core.length, coreGzip, gzip: jsGzip + coreGzip };
}
