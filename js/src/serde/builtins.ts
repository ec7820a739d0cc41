/** The records of JavaScript's own classes, whose contents are not enumerable properties. */
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";

import { bufferToJson, types } from "../platform/runtime.js";
import type { Fields } from "./records.js";
import * as records from "./records.js";

/** Encodes what is nested in a built-in: one value under a name, or the items of a list. */
export interface NestedEncoder {
  field(name: string, value: unknown): unknown;
  items(values: unknown[]): unknown[];
}

/**
 * The record of a value whose `toJSON` would lose it: a date or a Node.js buffer. A subclass with a
 * `toJSON` of its own is left to it.
 */
export function recordBeforeToJson(value: Fields): Fields | undefined {
  if (types.isDate(value)) {
    return hasDatesToJson(value) ? records.dateRecord(value) : undefined;
  }
  if (types.isUint8Array(value)) {
    const toJson: unknown = Reflect.get(value, "toJSON");
    if (toJson !== undefined && toJson !== bufferToJson) return undefined;
    return records.binaryRecord(value);
  }
  return undefined;
}

/** Whether a date has the `toJSON` of dates, of this realm or the one that it is of. */
function hasDatesToJson(date: Date): boolean {
  if (date.toJSON === Date.prototype.toJSON) return true;
  let owner: object | null = date;
  while (owner !== null && !Object.hasOwn(owner, "toJSON")) owner = Object.getPrototypeOf(owner);
  // In any realm, only an object's own prototype comes after that of dates.
  const next: unknown = owner && Object.getPrototypeOf(owner);
  return next !== null && Object.getPrototypeOf(next) === null && next !== Object.prototype;
}

/** What stands for a built-in, or undefined where a value is an ordinary object. */
export function builtInJson(value: Fields, nested: NestedEncoder): unknown {
  if (value instanceof DeltaSnapshot) {
    return records.deltaSnapshotRecord(nested.field("value", value.value));
  }
  if (value instanceof Set || types.isSet(value)) {
    return records.constructorRecord("Set", [nested.items(Array.from(value))]);
  }
  if (value instanceof Map || types.isMap(value)) {
    return records.constructorRecord("Map", [nested.items(Array.from(value))]);
  }
  if (value instanceof RegExp || types.isRegExp(value)) {
    return records.constructorRecord("RegExp", [value.source, value.flags]);
  }
  if (value instanceof Error || types.isNativeError(value)) {
    return records.constructorRecord("Error", [nested.field("message", value.message)]);
  }
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    return records.binaryRecord(value);
  }
  return types.isBoxedPrimitive(value) ? unboxed(value, nested) : undefined;
}

/** Classes whose instances hold what no property shows, and no text could bring back. */
const EMPTY_KINDS: ReadonlySet<string> = new Set([
  "AbortController",
  "AbortSignal",
  "AsyncGenerator",
  "Blob",
  "File",
  "FinalizationRegistry",
  "FormData",
  "Generator",
  "Headers",
  "Promise",
  "ReadableStream",
  "Request",
  "Response",
  "TransformStream",
  "URLSearchParams",
  "WeakMap",
  "WeakRef",
  "WeakSet",
  "WritableStream",
]);

/** The class of an object of which nothing would be stored; undefined where it has fields. */
export function emptyKind(value: object): string | undefined {
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return EMPTY_KINDS.has(kind) && Object.keys(value).length === 0 ? kind : undefined;
}

/** What a value is that is left out wherever it stands; undefined where it is written. */
export function omittedKind(value: unknown): string | undefined {
  if (typeof value === "symbol") return "symbol";
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
    return undefined;
  }
  if (typeof Reflect.get(value, "toJSON") === "function") return undefined;
  return typeof value === "function" ? "function" : emptyKind(value);
}

/** JSON takes a boxed primitive for the primitive; a boxed symbol is an empty object to it. */
function unboxed(value: unknown, nested: NestedEncoder): unknown {
  if (types.isNumberObject(value)) return nested.field("", Number(value));
  if (types.isStringObject(value)) return String(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value))
    return records.bigintRecord(BigInt.prototype.valueOf.call(value));
  return undefined;
}
