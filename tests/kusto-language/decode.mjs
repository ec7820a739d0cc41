// Reads JSON strings, one a line, each of them KQL that should be string literals alone. Prints for
// each what Microsoft's lexer takes it for, as JSON; null for anything else.
//
//   node decode.mjs < literals.jsonl > values.jsonl

import { createInterface } from "node:readline";

import { decode } from "./language.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(decode(JSON.parse(line)) ?? null));
}
