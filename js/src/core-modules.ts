import { InvalidInputError, ProtocolError } from "./errors.js";
import type { CoreModules } from "./instance.js";
import { builtinModule } from "./runtime.js";

/** A planner's only core module. */
export interface CoreModule {
  /** What the generated code calls it. */
  readonly name: string;
  /** Where this package has it. */
  file(): URL;
}

/** Gives a planner's core module: the one that was handed over, or else this package's file. */
export function coreModules(module: CoreModule, core?: WebAssembly.Module): CoreModules {
  return (name) => {
    if (name === module.name) return core ?? readCoreModule(module);
    throw new ProtocolError("unknown-core-module", `the planner has a module ${name}; report it`);
  };
}

function readCoreModule({ name, file }: CoreModule): WebAssembly.Module {
  const fs = builtinModule<typeof import("node:fs")>("node:fs");
  if (fs !== undefined) return new WebAssembly.Module(fs.readFileSync(file()));
  throw new InvalidInputError(
    "missing-core-module",
    `this runtime reads no files; compile langgraph-checkpoint-wasm/${name} and pass it as the ` +
      "option core",
  );
}
