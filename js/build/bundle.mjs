// Writes the package's modules as few files: to find and read a file takes Node.js as long as to
// run it, and a program that saves one checkpoint reads them all. Once as modules, and once as
// CommonJS for those who `require`, as older versions of Node.js and Jest do.
import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";

import { rolldown } from "rolldown";

const PACKAGE = new URL("../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8"));
/** What savers on drivers for SQLite share, and nothing else: one file of it. */
const DRIVEN = /[\\/](commit-queue|connection|failure|log-sync|numbered|transaction)\.ts$/;
/** Where a planner's core module is, which `imports` in package.json chooses. */
const CORE = /(?<=[\\/])core-of-\w+(?=\.js$)/;

/** The sources of what `exports` names under a condition, by the names of their files. */
function sourcesOf(condition, extension) {
  const isFile = new RegExp(`^\\./dist/(.+)\\.${extension}$`);
  const files = Object.values(exports).flatMap((entry) => [entry, ...Object.values(entry)]);
  const names = files.flatMap((file) => isFile.exec(file?.[condition] ?? "")?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
}

const coreAsChosen = {
  name: "core-as-chosen",
  resolveId(id, importer) {
    const [name] = (importer && CORE.exec(id)) ?? [];
    return name && { id: `#${name}`, external: true };
  },
};

async function bundle(input, platform, isOurs, output) {
  const cores = ["core-of-sql", "core-of-kusto"].map((name) => [name, `src/${name}.ts`]);
  const build = await rolldown({
    cwd: fileURLToPath(PACKAGE),
    input: { ...input, ...Object.fromEntries(cores) },
    external: (id) => !(id.startsWith(".") || isAbsolute(id)) || !isOurs(id),
    plugins: [coreAsChosen],
    preserveEntrySignatures: "allow-extension",
    platform,
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    transform: { target: "es2022" },
    // The generated code begins with a directive for nobody here.
    onLog: (level, log, show) => log.code === "MODULE_LEVEL_DIRECTIVE" || show(level, log),
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
await bundle(
  { ...sourcesOf("default", "js"), "testing/rows": "src/testing/rows.ts" },
  "neutral",
  (id) => !isGenerated(id),
  { cleanDir: true, chunkFileNames: "[name]-[hash].js" },
);
// A `require` does not get the generated code, which is a module.
await bundle(sourcesOf("default", "cjs"), "node", (id) => !/\.(wasm|cjs)$/.test(id), {
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs",
});
