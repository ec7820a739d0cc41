// Starts Chromium with a page whose worker runs the cells.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundled } from "./bundle.mjs";

const require = createRequire(new URL("runtimes/package.json", import.meta.url));

const ENTRY = new URL("cells/browser-worker.mjs", import.meta.url);

const SQLITE = new URL("runtimes/node_modules/@sqlite.org/sqlite-wasm/dist/", import.meta.url);
/** Files to serve beside the worker's scripts, under any path. */
const FILES = {
  "planner.core.wasm": new URL("../generated/planner.core.wasm", import.meta.url),
  "sqlite3.wasm": new URL("sqlite3.wasm", SQLITE),
  "sqlite3-opfs-async-proxy.js": new URL("sqlite3-opfs-async-proxy.js", SQLITE),
};
const TYPES = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const PAGE = `<!doctype html><title>cells</title><script>
  const worker = new Worker("browser-worker.js", { type: "module" });
  globalThis.ask = (message) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(message);
  });
</script>`;

/** The browser's executable, or why there is none. */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  const path = [...(named === undefined ? [] : [named]), ...PATHS].find(existsSync);
  if (path !== undefined) return { path };
  return { reason: "no Chromium here; install Debian's, or name one in CHROMIUM_PATH" };
}

/** Starts a browser with the page of the cells. */
export async function startBrowser(path) {
  const scripts = await bundled(ENTRY, {
    nodePaths: [fileURLToPath(new URL("runtimes/node_modules", import.meta.url))],
  });
  return start(path, (name) => (name === "" ? PAGE : (scripts.get(name) ?? contentsOf(name))));
}

/**
 * Starts a browser with the page in a folder. Files of its subfolders are served by their names.
 */
export async function servePage(path, folder) {
  const files = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, join(entry.parentPath, entry.name)]),
  );
  return start(path, (name) => {
    const file = files.get(name === "" ? "index.html" : name);
    return file === undefined ? undefined : readFileSync(file);
  });
}

/**
 * Starts a server and a browser. `ask` sends the page's worker a task; `reload` reloads the page.
 */
async function start(path, contentsOf) {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://localhost").pathname.split("/").at(-1);
    const contents = contentsOf(name);
    const type = TYPES[name.split(".").at(-1) || "html"] ?? "text/plain";
    response.writeHead(contents === undefined ? 404 : 200, {
      "content-type": type,
      // OPFS in a worker needs a cross-origin isolated page.
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(contents);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const load = () => page.goto(`http://127.0.0.1:${server.address().port}/`);
  await load();
  return {
    version: browser.version(),
    async ask(...message) {
      const { answer, failure } = await page.evaluate((sent) => globalThis.ask(sent), message);
      if (failure !== undefined) throw new Error(failure);
      return answer;
    },
    reload: load,
    async close() {
      await browser.close();
      server.close();
    },
  };
}

function contentsOf(name) {
  return Object.hasOwn(FILES, name) ? readFileSync(FILES[name]) : undefined;
}
