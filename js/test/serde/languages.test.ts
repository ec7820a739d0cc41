// Values across the languages. tests/languages/README.md says how the files are made.

import { deepStrictEqual } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { changed, kept } from "../support/language-values.js";

type Stored = [kind: string, text: string];
type Values = Record<string, Stored>;

const FOLDER = new URL("../../../tests/languages/", import.meta.url);

const serde = new JsonPlusSerde();

function file<Contents>(name: string): Contents {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
}

function read([kind, text]: Stored): unknown {
  return serde.loads(kind, kind === "json" ? text : Buffer.from(text, "base64"));
}

function stored(value: unknown): Stored {
  const [kind, bytes] = serde.dumps(value);
  return [kind, Buffer.from(bytes).toString(kind === "json" ? "utf8" : "base64")];
}

const fromPython = file<Values>("python.json");
const throughPython = file<Values>("through-python.json");
const values = Object.fromEntries([
  ...kept.map(([name, value]) => [name, stored(value)]),
  ...changed.map(([name, value]) => [name, stored(value)]),
]);
const again = Object.fromEntries(
  Object.entries(fromPython).map(([name, python]) => [name, stored(read(python))]),
);

describe("what JavaScript writes", () => {
  it("of its own values, and of those of Python, is in javascript.json", () => {
    const written = { values, again };
    if (process.env.BLESS === "1") {
      const text = JSON.stringify(written, undefined, 1);
      writeFileSync(new URL("javascript.json", FOLDER), `${text}\n`);
    }
    expect(file("javascript.json")).toEqual(written);
  });

  it("of Python's values is read by JavaScript as the same values", () => {
    for (const [name, python] of Object.entries(fromPython)) {
      deepStrictEqual(read(again[name] ?? ["", ""]), read(python), name);
    }
  });
});

describe("what Python has read and written", () => {
  it.each(kept)("%s comes back", (name, value) => {
    const python = throughPython[name];
    expect(python?.[0]).toMatch(/^(?:msgpack|bytes|null)$/);
    deepStrictEqual(read(python ?? ["", ""]), value);
  });

  it.each(changed)("%s comes back as another value", (name, _, value) => {
    deepStrictEqual(read(throughPython[name] ?? ["", ""]), value);
  });
});
