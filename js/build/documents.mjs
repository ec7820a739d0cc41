// Puts the documents beside the package's README, with links that lead somewhere in the package:
// whoever has it from npm has no repository.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";

const FROM = new URL("../../docs/", import.meta.url);
const TO = new URL("../docs/", import.meta.url);

/** What of the repository the package has at another place. */
const MOVED = {
  "provision.kql": "dist/provision.kql",
  "js/README.md": "README.md",
};

/** A link to a file, its text, path and heading; or a fenced block, which has none. */
const LINK = /^```.*?^```$|\[([^\]]+)\]\(([^)#:]+)(#[^)]*)?\)/gms;

for (const file of readdirSync(FROM, { recursive: true })) {
  if (!file.endsWith(".md")) continue;
  const path = posix.join("docs", file.replaceAll("\\", "/"));
  const text = readFileSync(new URL(file, FROM), "utf8");
  const target = new URL(file, TO);
  mkdirSync(new URL(".", target), { recursive: true });
  writeFileSync(target, text.replaceAll(LINK, linkFrom(path)));
}

/** A link as it is in the package, or its text alone where that has no such file. */
function linkFrom(path) {
  return (link, text, to, heading = "") => {
    if (to === undefined) return link;
    const target = posix.join(posix.dirname(path), to);
    if (target.startsWith("docs/")) return link;
    const moved = MOVED[target];
    if (moved === undefined) return `${text} of the repository`;
    return `[${text}](${posix.relative(posix.dirname(path), moved)}${heading})`;
  };
}
