// The package as users get it: packed, installed in a clean folder, and its README run.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { type RolldownOptions, rolldown } from "rolldown";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const COMPILER = join(PACKAGE, "node_modules/typescript/bin/tsc");
const manifest: {
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
} = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

function npm(folder: string, ...args: string[]): string {
  return execFileSync("npm", [...args, "--no-audit", "--no-fund"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Packs the built package, installs it, and returns the paths of its files. */
function installPacked(folder: string): string[] {
  // Not built again, as other tests are using the build.
  const options = ["--json", "--ignore-scripts", "--pack-destination", folder];
  const [packed] = JSON.parse(npm(PACKAGE, "pack", ...options));
  const { devDependencies } = manifest;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const peers = ["@langchain/core", "@langchain/langgraph", "@langchain/langgraph-checkpoint"];
  const packages = [
    join(folder, packed.filename),
    ...peers.map((name) => `${name}@${devDependencies[name]}`),
    // The driver is linked from this package's node_modules, so it is compiled only once.
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
  expect(paths).toEqual(
    expect.arrayContaining(["dist/entries/sqlite.js", "generated/planner.core.wasm"]),
  );
  expect(paths.filter((path) => /^(src|test|demo|node_modules)\//.test(path))).toEqual([]);
});

test("every_link_of_the_packed_documents_leads_to_something_in_the_package", () => {
  const documents = paths.filter((path) => path.endsWith(".md"));
  expect(documents).toEqual(
    expect.arrayContaining(["docs/benchmarks.md", "docs/kusto-operations.md"]),
  );
  const home = join(folder, "node_modules/langgraph-checkpoint-wasm");
  const headingsOf = (text: string) =>
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => {
      return heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-");
    });
  const lost = documents.flatMap((path) => {
    const text = readFileSync(join(home, path), "utf8").replaceAll(/^```.*?^```$/gms, "");
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    return links.flatMap(([link, to = "", heading]) => {
      const target = to === "" ? path : join(dirname(path), to);
      const isFolder = target.endsWith("/") && paths.some((one) => one.startsWith(target));
      if (isFolder) return [];
      if (!paths.includes(target)) return [`${path}: ${link}`];
      const headings = headingsOf(readFileSync(join(home, target), "utf8"));
      return heading === undefined || headings.includes(heading) ? [] : [`${path}: ${link}`];
    });
  });
  expect(lost).toEqual([]);
});

test("the_readmes_install_line_has_every_package_of_its_examples", () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const [, line = ""] = /^npm install (.*)$/m.exec(readme) ?? [];
  const imported = [...example().matchAll(/from "((?:@[^/"]+\/)?[^/"]+)/g)].map(([, name]) => name);
  expect(line.split(" ")).toEqual(expect.arrayContaining(imported));
  expect(readFileSync(join(PACKAGE, "../README.md"), "utf8")).toContain(`npm install ${line}\n`);
});

test("the_readme_names_the_versions_that_are_tested", () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const text = readme.replaceAll(/\s+/g, " ");
  const { devDependencies, peerDependencies } = manifest;
  for (const peer of ["@langchain/core", "@langchain/langgraph-checkpoint"]) {
    expect(text).toContain(`\`${peer}\` from ${peerDependencies[peer]?.slice(1)}`);
  }
  expect(text).toContain(`with LangGraph ${devDependencies["@langchain/langgraph"]}.`);
});

test("the_readmes_copying_carries_a_thread_over_with_its_interrupt", async () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const [, text = ""] = /^```ts\n([^`]*carryOver.*?)^```/ms.exec(readme) ?? [];
  writeFileSync(join(folder, "carry.ts"), text);
  const program = `
    import { Annotation, Command, interrupt, MemorySaver } from "@langchain/langgraph";
    import { START, StateGraph } from "@langchain/langgraph";
    import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";
    import { carryOver } from "./carry.ts";
    const notes = Annotation({ reducer: (left, right) => left.concat(right), default: () => [] });
    const graph = new StateGraph(Annotation.Root({ notes }))
      .addNode("ask", () => ({ notes: [interrupt("really?")] }))
      .addEdge(START, "ask");
    const [stock, ours] = [new MemorySaver(), SqliteSaver.fromConnString(":memory:")];
    const thread = { configurable: { thread_id: "t" } };
    await graph.compile({ checkpointer: stock }).invoke({ notes: ["first"] }, thread);
    await carryOver(stock, ours, "t");
    const app = graph.compile({ checkpointer: ours });
    console.log((await app.getState(thread)).tasks[0].interrupts[0].value);
    console.log((await app.invoke(new Command({ resume: "yes" }), thread)).notes.join());`;
  const file = await bundled("carrying", program, { platform: "node" });
  const printed = execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
  expect(printed).toBe("really?\nfirst,yes\n");
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
  expect(outputs).toEqual([NOTES, "", "{ getTuple: 1 }\n", "true storage-closed\n"]);
});

/** The README's first example, which prints two notes. */
function example(): string {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  return (/^```js\n(.*?)^```/ms.exec(readme)?.[1] ?? "").replace("checkpoints.db", ":memory:");
}

const NOTES = "[ 'first', 'hello, note 1' ]\n";

function run(file: string, text: string, flags: string[] = []): string {
  writeFileSync(join(folder, file), text);
  return execFileSync(process.execPath, [...flags, file], { cwd: folder, encoding: "utf8" });
}

test("the_readmes_typescript_compiled_as_it_says_prints_what_its_javascript_prints", () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const [, text = ""] = /^```ts\n(.*?)^```/ms.exec(readme) ?? [];
  const [, flags = ""] = /^npx tsc (.*) first\.mts && node first\.mjs$/m.exec(readme) ?? [];
  writeFileSync(join(folder, "first.mts"), text.replace("checkpoints.db", ":memory:"));
  execFileSync(process.execPath, [COMPILER, ...flags.split(" "), "first.mts"], { cwd: folder });
  const printed = execFileSync(process.execPath, ["first.mjs"], { cwd: folder, encoding: "utf8" });
  expect(printed).toBe(NOTES);
});

/** Bundles a program into one file, without this package's files beside it. */
async function bundled(name: string, text: string, options: RolldownOptions): Promise<string> {
  writeFileSync(join(folder, `${name}.js`), text);
  const external = ["better-sqlite3", /^node:/];
  const build = await rolldown({ cwd: folder, input: `${name}.js`, external, ...options });
  await build.write({ dir: join(folder, name), codeSplitting: false });
  return join(name, `${name}.js`);
}

test("a_program_that_is_bundled_to_one_file_carries_the_planner", async () => {
  const file = await bundled("carried", example(), { platform: "node" });
  expect(execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" })).toBe(NOTES);
});

test("a_bundle_that_misses_the_planner_says_what_to_pass_and_that_helps", async () => {
  const without: RolldownOptions = { platform: "node", resolve: { conditionNames: ["import"] } };
  const failing = `import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";
    const saver = SqliteSaver.fromConnString(":memory:");
    const read = saver.getTuple({ configurable: { thread_id: "t" } });
    read.catch(({ name, code, message }) => console.log(name, code, message));`;
  const missed = await bundled("missed", failing, without);
  const said = execFileSync(process.execPath, [missed], { cwd: folder, encoding: "utf8" });
  expect(said).toMatch(/^InvalidInputError missing-core-module .*the option core/);
  const [, line = ""] = /(import \{ core \} from "[^"]+")/.exec(said) ?? [];
  const helped = `${line};\n${example().replace('(":memory:")', '(":memory:", { core })')}`;
  const file = await bundled("helped", helped, without);
  expect(execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" })).toBe(NOTES);
});

test("what_is_no_module_is_refused_as_the_option_core", () => {
  const printed = run(
    "cores.js",
    `import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";
     import { KustoSaver } from "langgraph-checkpoint-wasm/kusto";
     const text = "Data Source=https://a.kusto.windows.net;Initial Catalog=b";
     for (const core of ["core.wasm", new Uint8Array(8), {}, null]) {
       try {
         SqliteSaver.fromConnString(":memory:", { core });
       } catch ({ code, message }) {
         console.log(code, message);
       }
       await KustoSaver.fromConnectionString(text, { core }).catch(({ code, message }) => {
         console.log(code, message);
       });
     }`,
  );
  const refused = (entry: string) =>
    "invalid-option the option core has to be a WebAssembly.Module: " +
    `import { core } from "langgraph-checkpoint-wasm/${entry}"\n`;
  expect(printed).toBe((refused("core") + refused("core-kusto")).repeat(4));
});

test("the_program_of_the_package_prints_sql", () => {
  const program = join(folder, "node_modules/.bin/langgraph-checkpoint-wasm");
  const args = ["sql", "postgres", "--schema", "agents"];
  const printed = execFileSync(program, args, { cwd: folder, encoding: "utf8" });
  expect(printed).toMatch(
    /^BEGIN;\n.*CREATE TABLE IF NOT EXISTS "agents"\.lg_records.*COMMIT;\n$/s,
  );
});

test("a_node_js_without_node_sqlite_is_told_which_has_it", () => {
  const printed = run(
    "no-driver.js",
    `const get = process.getBuiltinModule;
     process.getBuiltinModule = (name) => name === "node:sqlite" ? undefined : get(name);
     const { SqliteSaver } = await import("langgraph-checkpoint-wasm/node-sqlite");
     try {
       SqliteSaver.fromConnString(":memory:");
     } catch ({ code, message }) {
       console.log(code, message);
     }`,
  );
  expect(printed).toMatch(/^missing-driver .*Node.js 22.16 or newer.*checkpoint-wasm\/sqlite/);
});

/** Flags with which `require` cannot load modules, as in Node.js before 22.12 and in Jest. */
const WITHOUT_MODULES = process.allowedNodeEnvironmentFlags.has("--experimental-require-module")
  ? ["--no-experimental-require-module"]
  : [];

test("what_cannot_import_requires_the_package", () => {
  const text = example().replace(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);");
  expect(run("required.cjs", `(async () => {\n${text}\n})();`, WITHOUT_MODULES)).toBe(NOTES);
  const stores = ["/kusto", "/postgres-js", "/neon", "/pglite"];
  const entries = ["", ...stores, "/core", "/core-postgres", "/core-kusto"];
  const all = entries.map((entry) => `require("langgraph-checkpoint-wasm${entry}")`).join(", ");
  const print = `console.log([${all}].map((module) => Object.keys(module).length > 0).join());`;
  expect(run("all.cjs", print, WITHOUT_MODULES)).toBe(`${entries.map(() => true).join()}\n`);
});

test("errors_of_the_module_and_of_commonjs_are_of_each_others_classes", () => {
  const printed = run(
    "both.cjs",
    `const required = require("langgraph-checkpoint-wasm");
     const { SqliteSaver } = require("langgraph-checkpoint-wasm/sqlite");
     (async () => {
       const imported = await import("langgraph-checkpoint-wasm");
       const saver = SqliteSaver.fromConnString(":memory:");
       saver.close();
       const thrown = await saver.deleteThread("t").catch((error) => error);
       class Own extends imported.StorageError {}
       const classes = ["StorageError", "StoreError", "CheckpointerError", "CorruptError"];
       console.log(
         imported.StorageError === required.StorageError,
         ...classes.map((name) => thrown instanceof imported[name]),
         thrown instanceof Own,
         new Own("storage-busy", "busy") instanceof required.StoreError,
       );
     })();`,
    WITHOUT_MODULES,
  );
  expect(printed).toBe("false true true true false false true\n");
});

const USES = `
  import { type CheckpointerError, StorageSaver } from "langgraph-checkpoint-wasm";
  import type { StorageAdapter } from "langgraph-checkpoint-wasm";
  import { core } from "langgraph-checkpoint-wasm/core";
  import { KustoSaver } from "langgraph-checkpoint-wasm/kusto";
  import { type PostgresPool, PostgresSaver } from "langgraph-checkpoint-wasm/postgres";
  import { SqliteSaver } from "langgraph-checkpoint-wasm/sqlite";
  const adapter: StorageAdapter = { run: () => [] };
  export const savers: (StorageSaver | Promise<KustoSaver>)[] = [
    new StorageSaver(adapter),
    SqliteSaver.fromConnString(":memory:", { synchronous: "normal", core }),
    KustoSaver.fromConnectionString({ clusterUri: "https://a.kusto.windows.net", database: "b" }),
  ];
  export const onPool = (pool: PostgresPool) => new PostgresSaver(pool);
  export const connected: StorageSaver = PostgresSaver.fromConnString("", { schema: "agents" });
  export const codeOf = (error: CheckpointerError): string => error.code;
  // @ts-expect-error: there is no such mode.
  SqliteSaver.fromConnString(":memory:", { synchronous: "never" });
`;
/** Entry points that are modules only. */
const USES_OF_MODULES = `
  import { BunSaver } from "./use-bun.mjs";
  import module from "langgraph-checkpoint-wasm/planner.core.wasm";
  import forKusto from "langgraph-checkpoint-wasm/planner-kusto.core.wasm";
  export const modules: WebAssembly.Module[] = [module, forKusto];
  export { BunSaver };
`;

test("the_types_check_in_both_forms_without_those_of_any_driver_or_browser", () => {
  writeFileSync(join(folder, "use.mts"), USES + USES_OF_MODULES);
  writeFileSync(join(folder, "use.cts"), USES);
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text]) => text ?? "");
  // The first block has a test of its own. The one with Azure's credentials needs a package that is
  // not installed.
  const shown = blocks.slice(1).filter((text) => !text.includes("@azure/identity"));
  expect(shown).toHaveLength(1);
  const files = shown.map((text, index) => {
    writeFileSync(join(folder, `use-${index}.mts`), text);
    return `use-${index}.mts`;
  });
  const bun = 'export { SqliteSaver as BunSaver } from "langgraph-checkpoint-wasm/bun";';
  writeFileSync(join(folder, "use-bun.mts"), bun);
  const options = ["--strict", "--noEmit", "--skipLibCheck", "false", "--module", "nodenext"];
  const check = (lib: string) => {
    const types = ["--target", "es2022", "--lib", lib, "--types", ""];
    const args = [COMPILER, ...options, ...types, "use.mts", "use.cts", ...files];
    const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    return stdout.split("\n").filter((line) => line.includes("error"));
  };
  expect(check("es2022,dom")).toEqual([]);
  // LangChain's types need those of a browser or of Node.js.
  const isOurs = (line: string) => /^use|langgraph-checkpoint-wasm/.test(line);
  expect(check("es2022").filter(isOurs)).toEqual([]);
});
