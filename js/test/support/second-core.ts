// A second copy of @langchain/core, like another version in `node_modules`.

import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

type Messages = typeof import("@langchain/core/messages");

/** Copies the installed package into a folder, and returns its messages. */
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
