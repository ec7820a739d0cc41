// Writes the JavaScript faces of components: node transpile.mjs <folder> <component.wasm>...
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";
import { withSharedReaders } from "./shared.mjs";

const [folder, ...components] = process.argv.slice(2);
if (folder === undefined || components.length === 0) {
  console.error("usage: node transpile.mjs <folder> <component.wasm>...");
  process.exit(2);
}

/** What the generated code is better without; each must be found in it, once unless it repeats. */
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
    "repeats",
  ],
  // Two more core modules would do no more than to let the first one call a function of its own,
  // by way of a table. The package then has one to load, which its users can hand in.
  [/const module[12] = getCoreModule\('[\w-]+\.core[23]\.wasm'\);/g, "", "repeats"],
  [/\(\{ exports: exports0 \} = instantiateCore\(module1\)\);/g, ""],
  [
    new RegExp(
      String.raw`\(\{ exports: exports2 \} = instantiateCore\(module2, \{\s*'': \{\s*` +
        String.raw`\$imports: exports0\.\$imports,([\s\S]*?),\s*\},\s*\}\)\);`,
      "g",
    ),
    "exports0 = {$1 };",
  ],
];

function amended(text) {
  return AMENDMENTS.reduce((amendedSoFar, [pattern, replacement, repeats]) => {
    const count = amendedSoFar.match(pattern)?.length ?? 0;
    if (count === 0 || (count > 1 && repeats === undefined)) {
      throw new Error(`${pattern} is ${count} times in what is generated`);
    }
    return amendedSoFar.replace(pattern, replacement);
  }, text);
}

for (const component of components) {
  const name = basename(component, ".wasm");
  const { files } = await transpile(component, {
    name,
    outDir: folder,
    // The package hands over the core modules itself, so that any bundler or runtime can load them.
    instantiation: "sync",
  });
  for (const [file, bytes] of Object.entries(files)) {
    if (/\.core[23]\.wasm$/.test(file)) continue;
    // The package enters the planner for SQL by itself; it has the types of what crosses from here.
    if (name === "planner" && !file.endsWith(".d.ts")) continue;
    const path = resolve(file);
    await mkdir(dirname(path), { recursive: true });
    const glue = basename(file) === `${name}.js`;
    const contents = glue ? withSharedReaders(amended(new TextDecoder().decode(bytes))) : bytes;
    await writeFile(path, contents);
  }
}
