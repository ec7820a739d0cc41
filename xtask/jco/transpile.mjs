// Writes the JavaScript face of a component: node transpile.mjs <component.wasm> <folder>
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";

const [component, folder] = process.argv.slice(2);
if (component === undefined || folder === undefined) {
  console.error("usage: node transpile.mjs <component.wasm> <folder>");
  process.exit(2);
}

const { files } = await transpile(component, {
  name: "planner",
  outDir: folder,
  // The package hands over the core modules itself, so that any bundler or runtime can load them.
  instantiation: "sync",
});

/**
 * What the generated code is better without; each must be found in it once, or as often as is
 * said.
 */
const AMENDMENTS = [
  // It would drop a byte order mark at the start of a text: two thread ids would become one.
  [/new TextDecoder\(\)/g, 'new TextDecoder("utf-8", { ignoreBOM: true })'],
  // It would look into the environment at every step of every call.
  [
    /const _debugLog = \(\.\.\.args\) => \{[^}]*\}\s*console\.debug\(\.\.\.args\);\s*\};/g,
    "const _debugLog = () => {};",
  ],
  // It would prepare for suspending, which the planner never does. Where the runtime has no such
  // thing, each attempt takes V8 about as long as reading this whole file.
  [
    /try \{\s*(\w+) = WebAssembly\.promising\([^;]*;\s*\} catch\s*\(err\) \{\s*\1 = [^;]*;\s*\}/g,
    "",
    3,
  ],
];

function amended(text) {
  return AMENDMENTS.reduce((amendedSoFar, [pattern, replacement, times = 1]) => {
    const count = amendedSoFar.match(pattern)?.length ?? 0;
    if (count !== times) throw new Error(`${pattern} is ${count} times in what is generated`);
    return amendedSoFar.replace(pattern, replacement);
  }, text);
}

for (const [name, bytes] of Object.entries(files)) {
  const path = resolve(name);
  await mkdir(dirname(path), { recursive: true });
  const glue = name.endsWith("planner.js");
  await writeFile(path, glue ? amended(new TextDecoder().decode(bytes)) : bytes);
}
