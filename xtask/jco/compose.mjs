// Writes the JavaScript face of a composed component: node compose.mjs <folder> <component.wasm>
//
// For the test of composed agents; the package has no such code.
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";

const [folder, component] = process.argv.slice(2);
if (folder === undefined || component === undefined) {
  console.error("usage: node compose.mjs <folder> <component.wasm>");
  process.exit(2);
}
const name = basename(component, ".wasm");
const { files } = await transpile(component, { name, outDir: folder, instantiation: "sync" });
for (const [path, content] of Object.entries(files)) {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(resolve(path), content);
}
