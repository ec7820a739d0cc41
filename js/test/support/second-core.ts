// A second copy of @langchain/core, as one more version in `node_modules` is.

import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

type Messages = typeof import("@langchain/core/messages");

/** The messages of a copy of the installed package, which is made in a folder. */
export async function secondMessages(folder: string): Promise<Messages> {
  const installed = fileURLToPath(new URL("../../node_modules", import.meta.url));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@langchain"), { recursive: true });
  for (const name of readdirSync(installed)) {
    if (name !== "@langchain") symlinkSync(join(installed, name), join(modules, name));
  }
  const core = join(modules, "@langchain", "core");
  cpSync(join(installed, "@langchain", "core"), core, { recursive: true });
  return import(/* @vite-ignore */ pathToFileURL(join(core, "dist/messages/index.js")).href);
}
