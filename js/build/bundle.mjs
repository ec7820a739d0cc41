// Writes the package's modules as few files: to find and read a file takes Node.js as long as to
// run it, and a program that saves one checkpoint reads them all.
import { copyFileSync, readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";

import { rolldown } from "rolldown";

const PACKAGE = new URL("../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8"));

/** What is exported, and what the runtimes of `matrix/` compare stores by. */
const names = Object.values(exports).flatMap(({ default: file = "" }) => {
  return /^\.\/dist\/(.+)\.js$/.exec(file)?.[1] ?? [];
});
const input = Object.fromEntries(
  [...names, "testing/rows"].map((name) => [name, `src/${name}.ts`]),
);

const build = await rolldown({
  cwd: fileURLToPath(PACKAGE),
  input,
  // Packages, and what is generated.
  external: (id) => !(id.startsWith(".") || isAbsolute(id)) || /[\\/]generated[\\/]/.test(id),
  platform: "neutral",
  resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  transform: { target: "es2022" },
});
await build.write({
  dir: "dist",
  cleanDir: true,
  // All next to the entry points: a module says where `generated` is as seen from there.
  chunkFileNames: "[name]-[hash].js",
});
// What prepares a Kusto database; the repository keeps it where every host finds it.
copyFileSync(new URL("../provision.kql", PACKAGE), new URL("dist/provision.kql", PACKAGE));
