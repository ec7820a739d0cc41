// The package as its users get it: packed, installed in a clean folder, its README run.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const manifest: {
  devDependencies: Record<string, string>;
  overrides: Record<string, string>;
} = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

function npm(folder: string, ...args: string[]): string {
  return execFileSync("npm", [...args, "--no-audit", "--no-fund"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Packs what is built, installs it, and gives the paths of its files. */
function installPacked(folder: string): string[] {
  // It is not built anew: other tests are using what is built.
  const options = ["--json", "--ignore-scripts", "--pack-destination", folder];
  const [packed] = JSON.parse(npm(PACKAGE, "pack", ...options));
  const { overrides, devDependencies } = manifest;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", overrides }));
  const peers = ["@langchain/core", "@langchain/langgraph", "@langchain/langgraph-checkpoint"];
  const packages = [
    join(folder, packed.filename),
    ...peers.map((name) => `${name}@${devDependencies[name]}`),
    // Compiled once is enough: the driver is linked from where it is installed.
    `better-sqlite3@file:${join(PACKAGE, "node_modules/better-sqlite3")}`,
  ];
  npm(folder, "install", "--ignore-scripts", "--prefer-offline", ...packages);
  return packed.files.map(({ path }: { path: string }) => path);
}

let folder: string;
let paths: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-packed-"));
  paths = installPacked(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the_package_holds_what_is_built_and_nothing_else", () => {
  expect(paths).toEqual(expect.arrayContaining(["dist/sqlite.js", "generated/planner.core.wasm"]));
  expect(paths.filter((path) => /^(src|test|demo|node_modules)\//.test(path))).toEqual([]);
});

test("the_package_brings_what_prepares_a_kusto_database", () => {
  const text =
    'import { readFileSync } from "node:fs";' +
    'const url = import.meta.resolve("langgraph-checkpoint-wasm/provision.kql");' +
    'process.stdout.write(readFileSync(new URL(url), "utf8"));';
  const options = ["--input-type=module", "--eval", text];
  const found = execFileSync(process.execPath, options, { cwd: folder, encoding: "utf8" });
  expect(found).toBe(readFileSync(join(PACKAGE, "../provision.kql"), "utf8"));
});

test("the_packed_package_runs_every_example_of_its_readme", () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, text]) => text ?? "");
  const outputs = examples.map((text, index) => {
    const file = `example-${index}.js`;
    writeFileSync(join(folder, file), text);
    return execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
  });
  expect(outputs).toEqual(["[ 'first', 'hello, note 1' ]\n", "", "true storage-closed\n"]);
});

test("the_types_of_the_packed_package_check", () => {
  writeFileSync(
    join(folder, "use.ts"),
    `import { type CheckpointerError, StorageSaver } from "langgraph-checkpoint-wasm";
     import type { StorageAdapter } from "langgraph-checkpoint-wasm";
     import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";
     const adapter: StorageAdapter = { run: () => [] };
     export const savers: StorageSaver[] = [
       new StorageSaver(adapter),
       SqliteSaver.fromConnString(":memory:", { synchronous: "normal" }),
     ];
     export const codeOf = (error: CheckpointerError): string => error.code;
     // @ts-expect-error: there is no such mode.
     SqliteSaver.fromConnString(":memory:", { synchronous: "never" });
    `,
  );
  const options = ["--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext"];
  const compiler = join(PACKAGE, "node_modules/typescript/bin/tsc");
  const types = ["--lib", "es2022", "--types", ""];
  execFileSync(process.execPath, [compiler, ...options, ...types, "use.ts"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
});
