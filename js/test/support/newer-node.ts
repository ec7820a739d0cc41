// Finds a Node.js that has node:sqlite: this one, or one from the npm package of its platform.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";

const VERSION = "22.23.3";

/** Returns the path of the executable, which is installed on first use. */
export function nodeWithSqlite(): string {
  if (isBuiltin("node:sqlite")) return process.execPath;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = fileURLToPath(new URL(`../../node_modules/.cache/${VERSION}/`, import.meta.url));
  const file = process.platform === "win32" ? "node.exe" : "node";
  const executable = `${folder}node_modules/${name}/bin/${file}`;
  if (!existsSync(executable)) {
    const options = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    execFileSync("npm", ["install", "--prefix", folder, ...options, `${name}@${VERSION}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return executable;
}
