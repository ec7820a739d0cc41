import { InvalidInputError, ProtocolError } from "../errors.js";
import { builtinModule } from "../platform/runtime.js";
import type { CoreModules } from "./instance.js";

/** A planner's only core module, in a file or carried along. */
export type CoreModule = {
  /** What the generated code calls it. */
  readonly name: string;
  /** The entry point that gives it. */
  readonly entry: string;
} & ({ file(): URL } | { bytes(): Uint8Array<ArrayBuffer> });

/** Gives a planner's core module: the one that was handed over, or else this package's own. */
export function coreModules(module: CoreModule, core?: WebAssembly.Module): CoreModules {
  return (name) => {
    if (name === module.name) return core ?? compiled(module);
    throw new ProtocolError("unknown-core-module", `the planner has a module ${name}; report it`);
  };
}

function compiled(module: CoreModule): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytesOf(module));
  } catch (cause) {
    throw missingCore(module, "cannot be read and compiled by this program by itself", cause);
  }
}

/** What a program is told that has no core module. */
export function missingCore(
  { name, entry }: Pick<CoreModule, "name" | "entry">,
  why: string,
  cause: unknown,
): InvalidInputError {
  const message = `the planner's ${name} ${why}; pass it as the option core: ${howTo(entry)}`;
  return new InvalidInputError("missing-core-module", message, { cause });
}

function bytesOf(module: CoreModule): Uint8Array<ArrayBuffer> {
  if ("bytes" in module) return module.bytes();
  const fs = builtinModule<typeof import("node:fs")>("node:fs");
  if (fs === undefined) throw new TypeError("this runtime reads no files");
  return fs.readFileSync(module.file());
}

function howTo(entry: string): string {
  return `import { core } from "${entry}"`;
}
