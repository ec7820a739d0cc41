import { readFileSync } from "node:fs";

import { ProtocolError } from "../errors.js";

/** Each is written out, so that tools that gather a program's files find them. */
const FILES: Record<string, URL> = {
  "planner-kusto.core.wasm": new URL("../../generated/planner-kusto.core.wasm", import.meta.url),
  "planner-kusto.core2.wasm": new URL("../../generated/planner-kusto.core2.wasm", import.meta.url),
  "planner-kusto.core3.wasm": new URL("../../generated/planner-kusto.core3.wasm", import.meta.url),
};

/** Reads and compiles one of the planner's core modules from this package's own files. */
export function readCoreModule(name: string): WebAssembly.Module {
  const file = FILES[name];
  if (file !== undefined) return new WebAssembly.Module(readFileSync(file));
  throw new ProtocolError("unknown-core-module", `the planner has a module ${name}; report it`);
}
