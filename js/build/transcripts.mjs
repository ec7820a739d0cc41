// Writes the transcripts as a module, so that the test kit has them in every runtime.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const FROM = new URL("../../tests/transcripts/", import.meta.url);
const TO = new URL("../generated/", import.meta.url);

const names = readdirSync(FROM).filter((name) => name.endsWith(".json"));
const transcripts = names.sort().map((name) => {
  const transcript = JSON.parse(readFileSync(new URL(name, FROM), "utf8"));
  return { name: name.slice(0, -".json".length), ...transcript };
});

mkdirSync(TO, { recursive: true });
const text = JSON.stringify(JSON.stringify(transcripts));
writeFileSync(new URL("transcripts.js", TO), `export const transcripts = JSON.parse(${text});\n`);
writeFileSync(new URL("transcripts.d.ts", TO), "export const transcripts: unknown;\n");
