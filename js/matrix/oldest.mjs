// Tests the package with the oldest supported LangGraph: packs it, installs it with the lowest
// versions that its peer ranges allow, and runs LangGraph's conformance suite and the tests of
// graphs.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { install, manifest } from "./packaged.mjs";
import { firstLine } from "./runtimes.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
/**
 * The first version with `DeltaChannel`. It is not a peer: programs that only store checkpoints
 * need no LangGraph.
 */
const LANGGRAPH = "1.4.0";
const PEERS = [
  "@langchain/core",
  "@langchain/langgraph-checkpoint",
  "@langchain/langgraph-checkpoint-validation",
];
const STOCK = "@langchain/langgraph-checkpoint-sqlite";
const TESTS = [
  "stores/conformance.test.ts",
  "langgraph/contract.test.ts",
  "langgraph/graphs.test.ts",
];
const ENTRIES = [
  ["../../src/entries/sqlite.js", "langgraph-checkpoint-wasm/sqlite"],
  ["../../src/testing/index.js", "langgraph-checkpoint-wasm/testing"],
];

/** Runs the tests, and returns the versions in words and what broke. */
export function oldestPeers() {
  const peers = Object.fromEntries(PEERS.map((name) => [name, leastOf(name)]));
  const versions = {
    ...peers,
    "@langchain/langgraph": LANGGRAPH,
    [STOCK]: manifest.devDependencies[STOCK],
  };
  const [core, checkpoint] = Object.values(peers);
  const name = `LangGraph ${LANGGRAPH}, core ${core}, checkpoint ${checkpoint}`;
  const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-oldest-"));
  try {
    install(folder, versions);
    for (const test of TESTS) copyTest(folder, test);
    cpSync(
      join(PACKAGE, "test/support/checkpoints.ts"),
      join(folder, "test/support/checkpoints.ts"),
    );
    runTests(folder);
    return { name, breaks: installed(folder, versions) };
  } catch (thrown) {
    return { name, breaks: [/FAIL.*/.exec(thrown.stderr)?.[0] ?? firstLine(thrown)] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The lowest version of a peer's range, which has to be of the form ^1.2.3. */
function leastOf(name) {
  const range = manifest.peerDependencies[name];
  if (!/^\^\d+\.\d+\.\d+$/.test(range)) throw new Error(`${name} has no range of the form ^1.2.3`);
  return range.slice(1);
}

/** Copies a test, with imports of the installed package. */
function copyTest(folder, test) {
  const to = join(folder, "test", test);
  mkdirSync(dirname(to), { recursive: true });
  const text = readFileSync(join(PACKAGE, "test", test), "utf8");
  writeFileSync(
    to,
    ENTRIES.reduce((changed, [from, to]) => changed.replace(`"${from}"`, `"${to}"`), text),
  );
}

function runTests(folder) {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--globals", "--testTimeout=120000"];
  execFileSync(process.execPath, vitest, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** The packages that are installed in another version than requested, or twice. */
function installed(folder, versions) {
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  return Object.entries(versions).flatMap(([name, version]) => {
    const copies = Object.entries(lock.packages)
      .filter(([path]) => path.endsWith(`node_modules/${name}`))
      .map(([, copy]) => copy.version);
    return copies.join() === version ? [] : [`${name} is installed as ${copies.join(" and ")}`];
  });
}
