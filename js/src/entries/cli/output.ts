// What commands print: tables for people, JSON for programs.

import { randomUUID } from "node:crypto";

import type { Progress } from "../../langgraph/lifecycle-saver.js";

/** Prints rows as JSON, one a line, or as a table. */
export function print<Row extends object>(
  rows: readonly Row[],
  json: boolean,
  columns: Readonly<Record<string, (row: Row) => unknown>>,
): void {
  process.stdout.write(json ? rows.map(line).join("") : table(rows, columns));
}

/** Prints a part of a list, and the value of the option that goes on after it. */
export function printPage<Row extends object>(
  rows: readonly Row[],
  json: boolean,
  [option, next]: readonly [option: string, next: string | undefined],
  columns: Readonly<Record<string, (row: Row) => unknown>>,
): void {
  const last = rows.at(-1);
  const isMarked = json && next !== undefined && last !== undefined;
  print(isMarked ? [...rows.slice(0, -1), { ...last, next }] : rows, json, columns);
  if (!json && next !== undefined) console.error(plain(`there are more: add ${option} ${next}`));
}

/** Prints one thing as JSON, over several lines for people. */
export function printJson(value: unknown, json: boolean): void {
  process.stdout.write(json ? line(value) : `${toJson(value, 2)}\n`);
}

function line(value: unknown): string {
  return `${toJson(value)}\n`;
}

/** JSON without the characters that a terminal would obey, some of which JSON allows. */
export function toJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, shown, indent).replaceAll(MARKED, "$1");
  return json.replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Marks a whole number that JavaScript has not exactly. No value has it: it differs each time. */
const MARK = `integer ${randomUUID()} `;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");

/** Bytes are shown by their number, as they would be long lists. */
function shown(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: value.length };
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : `${MARK}${value}`;
}

/** Control characters, and those that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be printed.
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text without characters that a terminal would obey, save those that end a line. */
export function plain(text: string): string {
  return text.replaceAll(OBEYED, "\u00b7");
}

function table<Row>(
  rows: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => unknown>>,
): string {
  const cells = rows.map((row) => Object.values(columns).map((cell) => textOf(cell(row))));
  const all = [Object.keys(columns), ...cells];
  const widths = Object.keys(columns).map((_, at) => {
    return Math.max(...all.map((row) => row[at]?.length ?? 0));
  });
  const lines = all.map((row) => {
    return row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  });
  return `${lines.join("\n")}\n`;
}

/** Text in one line, without characters that a terminal would obey. */
function textOf(value: unknown): string {
  const text = typeof value === "string" || value === undefined ? (value ?? "") : toJson(value);
  const line = plain(text).replaceAll("\n", "\u00b7");
  return line.length > WIDTH_MAX ? `${line.slice(0, WIDTH_MAX - 1)}\u2026` : line;
}

const WIDTH_MAX = 60;

/** Shows at a terminal how far a command is. */
export function shownProgress({ threads, checkpoints }: Progress): void {
  const { stderr } = process;
  if (stderr.isTTY) stderr.write(`\r${threads} threads, ${checkpoints} checkpoints \r`);
}

/** Bytes in words. */
export function sizeOf(bytes: number): string {
  const unit = bytes < 1e3 ? "B" : bytes < 1e6 ? "KB" : bytes < 1e9 ? "MB" : "GB";
  const by = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 }[unit];
  return `${unit === "B" ? bytes : (bytes / by).toFixed(1)} ${unit}`;
}
