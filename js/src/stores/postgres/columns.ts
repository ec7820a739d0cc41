// The columns of PostgreSQL's rows, whose texts all drivers give.

import type { SqlValue } from "../../planner/adapter.js";
import { fromHex } from "../../platform/runtime.js";

const BYTEA = 17;
const INTEGERS = [20, 21, 23];

/** The types that are something else than texts to a saver. */
export const TYPES: readonly number[] = [BYTEA, ...INTEGERS];

/** What makes a value of a column's text, whatever a program has set for its own. */
export function parserOf(type: number): (text: string) => SqlValue {
  if (type === BYTEA) return toBytes;
  return INTEGERS.includes(type) ? BigInt : (text) => text;
}

/** The bytes of a `bytea` in either of its two text formats. */
function toBytes(text: string): Uint8Array {
  if (text.startsWith("\\x")) return fromHex(text.slice(2));
  const escaped = /\\(?:\\|([0-7]{3}))/g;
  const bytes = text.replace(escaped, (_, octal?: string) => {
    return octal === undefined ? "\\" : String.fromCharCode(Number.parseInt(octal, 8));
  });
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}
