// Bundles the package's modules into a few files. Finding and reading a file takes Node.js as long
// as running it, and a program that saves a single checkpoint reads them all. There are two
// bundles: modules, and CommonJS for `require`, as in older versions of Node.js and Jest.
import { copyFileSync, readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";

import { rolldown } from "rolldown";

const PACKAGE = new URL("../", import.meta.url);
const { bin, exports, imports } = JSON.parse(
  readFileSync(new URL("package.json", PACKAGE), "utf8"),
);
/** The modules that only savers on SQLite's drivers share. They become one file. */
const DRIVEN = new RegExp(
  String.raw`[\\/](commit-queue|connection|database-file|driver-saver|failure|numbered` +
    String.raw`|opening|transaction)\.ts$`,
);
/** The modules that locate a core module. `imports` in package.json chooses among them. */
const CORE = /(?<=[\\/])core-of-\w+(?=\.js$)/;

/** The sources of the files that the package's manifest names, by those files' names. */
function sourcesOf(extension) {
  const isFile = new RegExp(`^\\./dist/(.+)\\.${extension}$`);
  const programs = Object.values(bin).map((file) => `./${file}`);
  const entries = [...Object.values(exports), ...Object.values(imports), ...programs];
  const names = entries.flatMap(filesOf).flatMap((file) => isFile.exec(file)?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
}

/** All files that an entry names, under any condition. */
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
  // All chunks stay in one folder: modules name `generated` relative to their own place.
  const codeSplitting = {
    groups: [{ name: "driven", test: DRIVEN }],
    includeDependenciesRecursively: false,
  };
  await build.write({ dir: "dist", codeSplitting, ...output });
}

const isGenerated = (id) => /[\\/]generated[\\/]/.test(id);

// `testing/rows` is for the runtimes of `matrix/`, which compare stores with it.
await bundle({ ...sourcesOf("js"), "testing/rows": "src/testing/rows.ts" }, "neutral", {
  cleanDir: true,
  chunkFileNames: "[name]-[hash].js",
});
await bundle(sourcesOf("cjs"), "node", {
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs",
});
// The script that prepares a Kusto database. The repository keeps it at its root, for all hosts.
copyFileSync(new URL("../provision.kql", PACKAGE), new URL("dist/provision.kql", PACKAGE));
