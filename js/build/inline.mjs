// Writes the core modules as JavaScript with base64, so that bundlers include them. Only as
// CommonJS, which `import` can load too: a second copy would make the package a third larger.
import { readFileSync, writeFileSync } from "node:fs";

const GENERATED = new URL("../generated/", import.meta.url);
const TYPES = `export declare const CORE: {
  readonly name: string;
  readonly entry: string;
  bytes(): Uint8Array<ArrayBuffer>;
};
`;

for (const [planner, entry] of [
  ["planner", "core"],
  ["planner-postgres", "core-postgres"],
  ["planner-kusto", "core-kusto"],
]) {
  const name = `${planner}.core.wasm`;
  const base64 = readCore(name).toString("base64");
  const text = `const base64 = "${base64}";
exports.CORE = {
  name: "${name}",
  entry: "langgraph-checkpoint-wasm/${entry}",
  bytes: () => typeof Buffer === "undefined"
    ? Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    : Buffer.from(base64, "base64"),
};
`;
  writeFileSync(new URL(`${planner}.inline.cjs`, GENERATED), text);
  writeFileSync(new URL(`${planner}.inline.d.cts`, GENERATED), TYPES);
  // The condition `module` of `imports` must lead to an ECMAScript module.
  const module = `export { CORE } from "./${planner}.inline.cjs";\n`;
  writeFileSync(new URL(`${planner}.inline.mjs`, GENERATED), module);
}

/** The bytes of a core module. Ends the process if it was not built. */
function readCore(name) {
  try {
    return readFileSync(new URL(name, GENERATED));
  } catch (thrown) {
    if (thrown.code !== "ENOENT") throw thrown;
    console.error(`js/generated has no ${name}; run \`cargo xtask component\` first`);
    process.exit(1);
  }
}
