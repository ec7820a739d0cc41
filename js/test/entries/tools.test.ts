// The package's own tools say what to do when something is missing.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { temporaryFolder } from "../support/temporary.js";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

test("a_build_without_the_core_modules_says_how_to_make_them", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "build"));
  const program = join(folder, "build", "inline.mjs");
  copyFileSync(join(PACKAGE, "build", "inline.mjs"), program);
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toBe("js/generated has no planner.core.wasm; run `cargo xtask component` first\n");
});

test("a_selection_of_no_cell_names_the_cells", async () => {
  const { Selection } = await import(new URL("../../matrix/selection.mjs", import.meta.url).href);
  const names = ["Bun 1.4.5 bun:sqlite", "packages"];
  const missed = (text?: string) => {
    const selection = new Selection(text);
    const selected = names.filter((name) => selection.has(name));
    return [selected, selection.missed];
  };
  const said = `no cell has "nonsense" in its name; the cells are:\n  ${names.join("\n  ")}`;
  expect(missed("nonsense")).toEqual([[], said]);
  expect(missed("bun")).toEqual([["Bun 1.4.5 bun:sqlite"], undefined]);
  expect(missed()).toEqual([names, undefined]);
});
