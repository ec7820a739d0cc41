import { readFileSync } from "node:fs";

const GENERATED = new URL("../generated/", import.meta.url);

/** Reads and compiles one of the planner's core modules from this package's own files. */
export function readCoreModule(name: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(name, GENERATED)));
}
