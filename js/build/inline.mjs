// Writes the core modules as text, so that bundlers carry them along. CommonJS, which an import
// reads as well as a `require`: two copies would make the package a third larger.
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
  ["planner-kusto", "core-kusto"],
]) {
  const name = `${planner}.core.wasm`;
  const base64 = readFileSync(new URL(name, GENERATED)).toString("base64");
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
  // Bundlers take an ECMAScript module where `imports` says `module`.
  const module = `export { CORE } from "./${planner}.inline.cjs";\n`;
  writeFileSync(new URL(`${planner}.inline.mjs`, GENERATED), module);
}
