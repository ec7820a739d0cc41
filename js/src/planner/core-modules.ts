import { InvalidInputError } from "../errors.js";
import { builtinModule } from "../platform/runtime.js";

/** A planner's core module: in a file, or as bytes in this bundle. */
export type CoreModule = {
  /** The name of its file. */
  readonly name: string;
  /** The entry point that exports it. */
  readonly entry: string;
} & ({ file(): URL } | { bytes(): Uint8Array<ArrayBuffer> });

/** Returns a function that compiles a core module at its first call. */
export function compiledOnce(module: CoreModule): () => WebAssembly.Module {
  let compiled: WebAssembly.Module | undefined;
  return () => {
    compiled ??= compile(module);
    return compiled;
  };
}

function compile(module: CoreModule): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytesOf(module));
  } catch (cause) {
    throw missingCore(module, "cannot be read and compiled by this program by itself", cause);
  }
}

/** The error for a program that could not load its core module. */
export function missingCore(
  { name, entry }: Pick<CoreModule, "name" | "entry">,
  why: string,
  cause?: unknown,
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
