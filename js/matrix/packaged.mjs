// Tests the package as users get it: packed, installed in a clean project, bundled by common tools,
// and run. Each case runs the README's example, or its graph.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { findChromium, servePage } from "./browser.mjs";
import { startModules } from "./workerd.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const MODULES = fileURLToPath(new URL("runtimes/node_modules/", import.meta.url));
const NEWER = `${MODULES}node24-${process.platform}-${process.arch}/bin/node`;
export const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
const README = readFileSync(join(PACKAGE, "README.md"), "utf8");
const [, EXAMPLE] = /^```js\n(.*?)^```/ms.exec(README) ?? [];
const GRAPH = readFileSync(new URL("cells/graph.mjs", import.meta.url), "utf8");

const NOTES = '["first", "hello, note 1"]';
const PEERS = ["@langchain/core", "@langchain/langgraph", "@langchain/langgraph-checkpoint"];

const CASES = {
  "Node.js, import": ({ run, write }) => {
    write("example.mjs", EXAMPLE);
    return run(process.execPath, "example.mjs");
  },

  "Node.js 24, require": ({ run, write }) => {
    write("example.cjs", required(exampleWith("node-sqlite")));
    return run(NEWER, "example.cjs");
  },

  "Bun, import": ({ run, write }) => {
    write("example-bun.mjs", exampleWith("bun"));
    return run(`${MODULES}.bin/bun`, "example-bun.mjs");
  },

  "Deno, npm:": ({ run, write }) => {
    write("example-deno.mjs", exampleWith("node-sqlite").replace(/from "/g, 'from "npm:'));
    const flags = ["run", "--allow-all", "--node-modules-dir=manual"];
    return run(`${MODULES}.bin/deno`, ...flags, "example-deno.mjs");
  },

  "Bun, compiled": ({ folder, run, write }) => {
    write("example-compiled.mjs", exampleWith("bun"));
    const program = join(folder, "compiled", "example");
    run(`${MODULES}.bin/bun`, "build", "example-compiled.mjs", "--compile", "--outfile", program);
    return run(program);
  },

  "Jest, CommonJS": ({ run, write }) => {
    const text = EXAMPLE.replace("checkpoints.db", ":memory:");
    const asserting = text.replace(/console\.log\((.+)\);/, `expect($1).toEqual(${NOTES});`);
    write("example.jest.cjs", `test("example", () => {\nreturn ${required(asserting)}});\n`);
    const options = { testMatch: ["<rootDir>/*.jest.cjs"], fakeTimers: { enableGlobally: true } };
    write("jest.json", JSON.stringify(options));
    run(process.execPath, `${MODULES}jest/bin/jest.js`, "--config", "jest.json");
  },

  // These bundles are run without the package's files beside them.
  esbuild: ({ run, write }) => {
    write("example-esbuild.mjs", exampleWith("node-sqlite"));
    const flags = ["--bundle", "--platform=node", "--target=node22", "--format=esm"];
    const out = "--outfile=esbuild/out.mjs";
    const banner =
      "--banner:js=import{createRequire}from'node:module';" +
      "const require=createRequire(import.meta.url);";
    const esbuild = `${MODULES}.bin/esbuild`;
    run(esbuild, "example-esbuild.mjs", ...flags, banner, out, "--log-level=error");
    return run(NEWER, "esbuild/out.mjs");
  },

  webpack: ({ run, write }) => {
    write("example-webpack.mjs", exampleWith("node-sqlite"));
    write("webpack.mjs", webpackProgram("example-webpack.mjs", {}));
    run(process.execPath, "webpack.mjs");
    return run(NEWER, "webpack/out.mjs");
  },

  // This configuration turns URLs of files into addresses on the site, which a server cannot read.
  "webpack, as Next.js bundles servers": ({ run, write }) => {
    write("example-next.mjs", exampleWith("node-sqlite"));
    const module = { parser: { javascript: { url: "relative" } } };
    const output = { publicPath: "/_next/", assetModuleFilename: "static/media/[name][ext]" };
    write("next.mjs", webpackProgram("example-next.mjs", { module, output }));
    run(process.execPath, "next.mjs");
    return run(NEWER, "webpack/out.mjs");
  },

  "Vite, Chromium": viteInChromium,

  wrangler: wranglerInWorkerd,

  "wrangler, docs/tutorials/workers.md": tutorialInWorkerd,

  publint: ({ run, tarball }) => {
    run(process.execPath, `${MODULES}publint/src/cli.js`, "run", tarball, "--strict");
  },

  "are the types wrong": ({ run, tarball }) => {
    const cli = `${MODULES}@arethetypeswrong/cli/dist/index.js`;
    const files = Object.keys(manifest.exports).filter((name) => /\.(wasm|kql)$/.test(name));
    // Entry points for one runtime have no CommonJS.
    const options = ["--profile", "node16", "--ignore-rules", "cjs-resolves-to-esm"];
    run(NEWER, cli, tarball, ...options, "--exclude-entrypoints", ...files);
  },
};

/** Runs every case, and yields its name and what broke. */
export async function* packagedCases() {
  const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-project-"));
  try {
    const versions = PEERS.map((name) => [name, manifest.devDependencies[name]]);
    const wasm = `file:${MODULES}@sqlite.org/sqlite-wasm`;
    const peers = { ...Object.fromEntries(versions), "@sqlite.org/sqlite-wasm": wasm };
    const project = { folder, tarball: install(folder, peers), ...inProject(folder) };
    for (const [name, run] of Object.entries(CASES))
      yield { name, ...(await outcome(run, project)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What breaks in a case, or why it is not run. */
async function outcome(run, project) {
  try {
    const output = await run(project);
    if (output === undefined || /^\[ ?.first., .hello, note 1. ?\]$/.test(output))
      return { breaks: [] };
    return { breaks: [`the example prints ${output.slice(0, 200)}`] };
  } catch (thrown) {
    if (thrown.notRun !== undefined) return { breaks: [], notRun: thrown.notRun };
    // All lines joined, as linters print their own name before their findings.
    const text = thrown.stderr || thrown.stdout || String(thrown.message);
    const line = text.trim().replaceAll(/\s*\n\s*/g, " | ");
    return { breaks: [line.slice(0, 800)] };
  }
}

/**
 * Packs the built package, installs it with packages of these versions, and returns the tarball.
 */
export function install(folder, versions) {
  const npm = (cwd, ...args) => {
    const stdio = ["ignore", "pipe", "ignore"];
    return execFileSync("npm", [...args, "--no-audit", "--no-fund"], {
      cwd,
      encoding: "utf8",
      stdio,
    });
  };
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(npm(PACKAGE, ...pack));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const packages = [
    join(folder, filename),
    ...Object.entries(versions).map(([name, version]) => `${name}@${version}`),
    // The driver is linked from this package's node_modules, so it is compiled only once.
    `better-sqlite3@file:${join(PACKAGE, "node_modules/better-sqlite3")}`,
  ];
  npm(folder, "install", "--ignore-scripts", "--prefer-offline", ...packages);
  return join(folder, filename);
}

function inProject(folder) {
  return {
    write: (name, text) => writeFileSync(join(folder, name), text),
    run: (program, ...args) => {
      const output = execFileSync(program, args, {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, NODE_NO_WARNINGS: "1", WRANGLER_SEND_METRICS: "false", CI: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      return output.trim();
    },
  };
}

/** The example with another entry point, on a database in memory. */
function exampleWith(entry) {
  return EXAMPLE.replace(
    "langgraph-checkpoint-wasm/sqlite",
    `langgraph-checkpoint-wasm/${entry}`,
  ).replace("checkpoints.db", ":memory:");
}

function required(text) {
  const body = text.replace(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);");
  return `(async () => {\n${body}\n})();\n`;
}

function webpackProgram(entry, { module = {}, output = {} }) {
  return `import { createRequire } from "node:module";
const webpack = createRequire("${MODULES}")("webpack");
webpack({
  mode: "production",
  target: "node22",
  entry: "./${entry}",
  experiments: { outputModule: true },
  module: ${JSON.stringify(module)},
  output: {
    path: process.cwd() + "/webpack",
    filename: "out.mjs",
    module: true,
    ...${JSON.stringify(output)},
  },
}, (failure, stats) => {
  if (failure || stats.hasErrors()) {
    console.error(String(failure ?? stats.toString("errors-only")));
    process.exitCode = 1;
  }
});
`;
}

async function viteInChromium({ folder, run, write }) {
  const { path, reason } = findChromium();
  if (path === undefined) throw Object.assign(new Error(reason), { notRun: reason });
  write("graph.mjs", GRAPH);
  write("index.html", '<!doctype html><script type="module" src="page.mjs"></script>');
  write(
    "page.mjs",
    `const worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
globalThis.ask = () => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage("run");
});
`,
  );
  write(
    "worker.mjs",
    `import sqlite3InitModule from "@sqlite.org/sqlite-wasm";
import { SqliteWasmSaver } from "langgraph-checkpoint-wasm/sqlite-wasm";
import { runExample } from "./graph.mjs";
self.onmessage = async () => {
  try {
    const sqlite3 = await sqlite3InitModule();
    const saver = await SqliteWasmSaver.open(new sqlite3.oo1.DB());
    self.postMessage({ answer: { notes: await runExample(saver) } });
  } catch (thrown) {
    self.postMessage({ failure: String(thrown) });
  }
};
`,
  );
  write("vite.config.mjs", 'export default { worker: { format: "es" }, logLevel: "error" };\n');
  run(NEWER, `${MODULES}vite/bin/vite.js`, "build");
  const page = await servePage(path, join(folder, "dist"));
  try {
    return shown((await page.ask()).notes);
  } finally {
    await page.close();
  }
}

async function wranglerInWorkerd({ folder, run, write }) {
  write("graph.mjs", GRAPH);
  write(
    "wrangler.json",
    JSON.stringify({
      name: "example",
      main: "worker.mjs",
      compatibility_date: "2026-05-01",
      compatibility_flags: ["nodejs_compat"],
      durable_objects: { bindings: [{ name: "CHECKPOINTS", class_name: "Checkpoints" }] },
      migrations: [{ tag: "v1", new_sqlite_classes: ["Checkpoints"] }],
    }),
  );
  write(
    "worker.mjs",
    `import { DurableObject } from "cloudflare:workers";
import { DurableObjectSaver } from "langgraph-checkpoint-wasm/durable-object";
import { runExample } from "./graph.mjs";
export class Checkpoints extends DurableObject {
  async fetch() {
    return Response.json({ notes: await runExample(new DurableObjectSaver(this.ctx.storage)) });
  }
}
export default {
  fetch: (request, env) => env.CHECKPOINTS.get(env.CHECKPOINTS.idFromName("x")).fetch(request),
};
`,
  );
  const workerd = await startModules(bundledByWrangler({ folder, run }));
  try {
    return shown((await workerd.ask("wrangler", "example")).notes);
  } finally {
    await workerd.close();
  }
}

/**
 * Writes the tutorial's files, and sends its requests. Each must get the answer that the tutorial
 * shows.
 */
async function tutorialInWorkerd({ folder, run, write }) {
  const text = readFileSync(new URL("../../docs/tutorials/workers.md", import.meta.url), "utf8");
  for (const [, file, content] of text.matchAll(/^```(?:js|json) (\S+)\n(.*?)^```$/gms)) {
    write(file, content);
  }
  const requests = [...text.matchAll(/^\| `\/([^/]+)\/([^`]+)` \| `([^`]+)` \|$/gm)];
  if (requests.length === 0) throw new Error("the tutorial has no requests");
  const workerd = await startModules(bundledByWrangler({ folder, run }));
  try {
    for (const [, order, word, expected] of requests) {
      const answer = JSON.stringify(await workerd.ask(order, word));
      if (answer !== expected) throw new Error(`/${order}/${word} is answered with ${answer}`);
    }
  } finally {
    await workerd.close();
  }
}

/** The modules that wrangler would upload, the script first. */
function bundledByWrangler({ folder, run }) {
  const wrangler = `${MODULES}wrangler/bin/wrangler.js`;
  const out = join(folder, "wrangler");
  rmSync(out, { recursive: true, force: true });
  run(NEWER, wrangler, "deploy", "--dry-run", "--outdir", "wrangler");
  mkdirSync(out, { recursive: true });
  return readdirSync(out)
    .filter((name) => /\.(js|wasm)$/.test(name))
    .sort((name) => (name === "worker.js" ? -1 : 1))
    .map((name) => {
      const contents = readFileSync(join(out, name));
      return name.endsWith(".wasm")
        ? { type: "CompiledWasm", path: name, contents }
        : { type: "ESModule", path: name, contents: contents.toString() };
    });
}

function shown(notes) {
  return `[ ${notes.map((note) => `'${note}'`).join(", ")} ]`;
}
