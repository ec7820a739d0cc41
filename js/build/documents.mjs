// Puts the documents beside the package's README, with links that lead somewhere in the package:
// whoever has it from npm has no repository.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const TO = new URL("../docs/", import.meta.url);

mkdirSync(TO, { recursive: true });
for (const name of ["adapters", "kusto", "kusto-operations", "runtimes"]) {
  const text = readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), "utf8")
    .replaceAll("(../provision.kql)", "(../dist/provision.kql)")
    .replace(/\[([^\]]+)\]\(\.\.\/(?!dist\/)[^)]+\)/g, "$1 of the repository");
  writeFileSync(new URL(`${name}.md`, TO), text);
}
