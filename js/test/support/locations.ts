// Tests of database locations, for every driver of Node.js.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";

import { checkpoint, config, metadata } from "./checkpoints.js";
import { temporaryFolder } from "./temporary.js";

type Open = (location: never) => BaseCheckpointSaver & { close(): void };

/** Locations that are refused, each with a part of the error's message. */
export const REFUSED: readonly (readonly [unknown, string])[] = [
  [undefined, '":memory:"'],
  ["", '":memory:"'],
  [" ", '":memory:"'],
  [null, '":memory:"'],
  [7, '":memory:"'],
  [{}, '":memory:"'],
  ["sqlite:///tmp/a.db", "write the path of the file"],
  ["sqlite://", "write the path of the file"],
  ["sqlite3:a.db", "write the path of the file"],
  ["postgres://user:secret@host/a", "write the path of the file"],
  [new URL("https://example.com/a.db"), "write the path of the file"],
  ["file:a.db?mode=ro", "pass it to the constructor"],
  ["file::memory:?cache=shared", "pass it to the constructor"],
  ["file://host/a.db", "write the path of the file"],
  ["file:///a%2Fb.db", "write the path of the file"],
  ["file:%E0%A4", "write the path of the file"],
  ["file:", "write the path of the file"],
  ["a.db\0.txt", "has a character that no path has"],
];

/** Opens one file by several names, and expects each saver to see what the first one put. */
export async function expectOneFileOfManyNames(open: Open): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, "a b%20.db");
  const url = pathToFileURL(path);
  const rest = encodeURI(path.replaceAll("\\", "/"));
  const names: unknown[] = [path, url, url.href, `FILE:${rest}`, `file:${rest}`];
  for (const [index, name] of names.entries()) {
    const saver = open(name as never);
    onTestFinished(() => saver.close());
    if (index === 0) await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    const tuple = await saver.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values, String(name)).toEqual({ a: 1 });
  }
}

/** Opens databases in memory, and expects them to share nothing and leave no file. */
export async function expectMemory(open: Open): Promise<void> {
  for (const name of [":memory:", "file::memory:"]) {
    const saver = open(name as never);
    onTestFinished(() => saver.close());
    expect(await saver.getTuple(config("t"))).toBeUndefined();
    await saver.put(config("t"), checkpoint(1), metadata(1), {});
    expect(existsSync(name)).toBe(false);
  }
}
