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
for (const [name, bytes] of Object.entries(files)) {
  const path = resolve(name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
