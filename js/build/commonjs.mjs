// Writes the types of the CommonJS files: copies of the modules' types with CommonJS names.
import { readFileSync, writeFileSync } from "node:fs";

const DIST = new URL("../dist/", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("../package.json", DIST), "utf8"));

const written = new Set();
for (const { require: required } of Object.values(exports)) {
  if (required !== undefined) write(new URL(required.types.replace(/^\.\/dist\//, ""), DIST));
}

function write(file) {
  if (written.has(file.href)) return;
  written.add(file.href);
  const text = readFileSync(new URL(file.href.replace(/\.d\.cts$/, ".d.ts")), "utf8").replace(
    /(?<=(?:from|import) ")(\.{1,2}\/.+)\.js(?=")/g,
    (_, name) => {
      write(new URL(`${name}.d.cts`, file));
      return `${name}.cjs`;
    },
  );
  writeFileSync(file, text);
}
