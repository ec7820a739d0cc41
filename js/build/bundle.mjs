// Writes the package's modules as few files: to find and read a file takes Node.js as long as to
// run it, and a program that saves one checkpoint reads them all. Once as modules, and once as
// CommonJS for those who `require`, as older versions of Node.js and Jest do.
import { copyFileSync, readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";

import { rolldown } from "rolldown";

const PACKAGE = new URL("../", import.meta.url);
const { exports, imports } = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8"));
/** What savers on drivers for SQLite share, and nothing else: one file of it. */
const DRIVEN = new RegExp(
  String.raw`[\\/](commit-queue|connection|database-file|driver-saver|failure|numbered` +
    String.raw`|opening|transaction)\.ts$`,
);
/** Where a planner's core module is, which `imports` in package.json chooses. */
const CORE = /(?<=[\\/])core-of-\w+(?=\.js$)/;

/** The sources of what `exports` and `imports` name, by the names of their files. */
function sourcesOf(extension) {
  const isFile = new RegExp(`^\\./dist/(.+)\\.${extension}$`);
  const entries = [...Object.values(exports), ...Object.values(imports)];
  const names = entries.flatMap(filesOf).flatMap((file) => isFile.exec(file)?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
}

/** All that an entry names, under whatever conditions. */
function filesOf(entry) {
  return typeof entry === "string" ? [entry] : Object.values(entry).flatMap(filesOf);
}

const coreAsChosen = {
  name: "core-as-chosen",
  resolveId(id, importer) {
    const [name] = (importer && CORE.exec(id)) ?? [];
    return name && { id: `#${name}`, external: true };
  },
};

async function bundle(sources, platform, output) {
  const build = await rolldown({
    cwd: fileURLToPath(PACKAGE),
    input: sources,
    external: (id) => !(id.startsWith(".") || isAbsolute(id)) || isGenerated(id),
    plugins: [coreAsChosen],
    preserveEntrySignatures: "allow-extension",
    platform,
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    transform: { target: "es2022" },
  });
  // All next to the entry points: a module says where `generated` is as seen from there.
  const codeSplitting = {
    groups: [{ name: "driven", test: DRIVEN }],
    includeDependenciesRecursively: false,
  };
  await build.write({ dir: "dist", codeSplitting, ...output });
}

const isGenerated = (id) => /[\\/]generated[\\/]/.test(id);

// What the runtimes of `matrix/` compare stores by, too.
await bundle({ ...sourcesOf("js"), "testing/rows": "src/testing/rows.ts" }, "neutral", {
  cleanDir: true,
  chunkFileNames: "[name]-[hash].js",
});
await bundle(sourcesOf("cjs"), "node", {
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs",
});
// What prepares a Kusto database; the repository keeps it where every host finds it.
copyFileSync(new URL("../provision.kql", PACKAGE), new URL("dist/provision.kql", PACKAGE));
