// Reads JSON strings, one in each line, each of which should be KQL with only string literals.
// Prints the value that Microsoft's lexer reads from each, as JSON; null if it is anything else.
//
//   node decode.mjs < literals.jsonl > values.jsonl

import { createInterface } from "node:readline";

import { decode } from "./language.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(decode(JSON.parse(line)) ?? null));
}
