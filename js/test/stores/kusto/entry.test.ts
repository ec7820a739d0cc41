// Each entry point loads only what it needs: those for SQLite load nothing of Kusto, and Kusto's
// loads no SQLite driver.

import { readFileSync } from "node:fs";

const PACKAGE = new URL("../../../", import.meta.url);
const { imports } = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8"));

/** All files of this package, and all packages, that an entry point loads, directly or not. */
function loadedBy(entry: string): string[] {
  const loaded = new Set<string>();
  const visit = (file: URL) => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    const text = readFileSync(file, "utf8");
    for (const [, name = ""] of text.matchAll(/(?:from|import) "([^"]+)";/g)) {
      if (name.startsWith(".")) visit(new URL(name, file));
      else if (name.startsWith("#")) visit(new URL(imports[name].default, PACKAGE));
      else loaded.add(name);
    }
    for (const [, name = ""] of text.matchAll(/new URL\("([^"]+\.wasm)"/g)) {
      loaded.add(new URL(name, file).href);
    }
  };
  visit(new URL(`dist/entries/${entry}`, PACKAGE));
  return [...loaded].map((name) => name.replace(PACKAGE.href, ""));
}

test.each(["index.js", "sqlite.js", "node-sqlite.js"])("%s_loads_nothing_of_kusto", (entry) => {
  const loaded = loadedBy(entry);
  expect(loaded).toContain("generated/planner.core.wasm");
  expect(loaded.filter((name) => name.includes("kusto"))).toEqual([]);
  // The modules for bundlers take time to load.
  expect(loaded.filter((name) => name.includes("inline"))).toEqual([]);
});

test("kusto_js_loads_no_driver_and_not_the_planner_for_sql", () => {
  const loaded = loadedBy("kusto.js");
  expect(loaded).toContain("generated/planner-kusto.core.wasm");
  expect(loaded.filter((name) => /sqlite|planner\.(core|js)/.test(name))).toEqual([]);
});
