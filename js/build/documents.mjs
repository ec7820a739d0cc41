// Copies docs/ into the package. A link to a file that the package has is adjusted; any other is
// replaced by its words, as a package from npm comes without the repository.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path/posix";

const FROM = new URL("../../docs/", import.meta.url);
const TO = new URL("../docs/", import.meta.url);
/** Where the package has files that are elsewhere in the repository. */
const PLACES = { "provision.kql": "dist/provision.kql", "js/README.md": "README.md" };

rmSync(TO, { recursive: true, force: true });
cpSync(FROM, TO, { recursive: true });
for (const name of readdirSync(TO, { recursive: true })) {
  if (!name.endsWith(".md")) continue;
  const folder = dirname(join("docs", name.replaceAll("\\", "/")));
  const text = readFileSync(new URL(name, TO), "utf8");
  writeFileSync(
    new URL(name, TO),
    text.replace(/\[([^\]]+)\]\((\.\.?\/[^)#]+)(#[^)]*)?\)/g, (link, words, to, heading = "") => {
      const target = join(folder, to);
      if (target.startsWith("docs/")) return link;
      const place = PLACES[target];
      if (place === undefined) return `${words} of the repository`;
      return `[${words}](${relative(folder, place)}${heading})`;
    }),
  );
}
