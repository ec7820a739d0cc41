/** The records of JavaScript's built-in classes, whose contents are not enumerable properties. */
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";

import { bufferToJson, types } from "../platform/runtime.js";
import { datetimeRecord } from "./python/dates.js";
import type { Fields } from "./records.js";
import * as records from "./records.js";

/** Encodes the values inside a built-in: one value under a name, or the items of a list. */
export interface NestedEncoder {
  field(name: string, value: unknown): unknown;
  items(values: unknown[]): unknown[];
}

/**
 * The record of a value whose `toJSON` would lose its type: a date or a Node.js buffer. Undefined
 * for other values, and for a subclass with a `toJSON` of its own, which is called instead.
 */
export function recordBeforeToJson(value: Fields): Fields | undefined {
  if (types.isDate(value)) {
    if (!hasDatesToJson(value)) return undefined;
    return datetimeRecord(value) ?? records.dateRecord(value);
  }
  if (types.isUint8Array(value)) {
    const toJson: unknown = Reflect.get(value, "toJSON");
    if (toJson !== undefined && toJson !== bufferToJson) return undefined;
    return records.binaryRecord(value);
  }
  return undefined;
}

/** Whether a date has the built-in `toJSON`, of this or another realm. */
function hasDatesToJson(date: Date): boolean {
  if (date.toJSON === Date.prototype.toJSON) return true;
  let owner: object | null = date;
  while (owner !== null && !Object.hasOwn(owner, "toJSON")) owner = Object.getPrototypeOf(owner);
  // In any realm, `Date.prototype` is followed only by `Object.prototype`.
  const next: unknown = owner && Object.getPrototypeOf(owner);
  return next !== null && Object.getPrototypeOf(next) === null && next !== Object.prototype;
}

/** The JSON of a built-in; undefined for an ordinary object. */
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

/**
 * Classes whose instances keep their contents outside of properties, and cannot be restored from
 * text.
 */
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

/**
 * The name of the class of an object that has nothing to store; undefined for an object with
 * fields.
 */
export function emptyKind(value: object): string | undefined {
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return EMPTY_KINDS.has(kind) && Object.keys(value).length === 0 ? kind : undefined;
}

/**
 * The kind of a value that is never stored: "symbol", "function" or a class. Undefined for a value
 * that is written.
 */
export function omittedKind(value: unknown): string | undefined {
  if (typeof value === "symbol") return "symbol";
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
    return undefined;
  }
  if (typeof Reflect.get(value, "toJSON") === "function") return undefined;
  return typeof value === "function" ? "function" : emptyKind(value);
}

/** JSON writes a boxed primitive as the primitive, and a boxed symbol as an empty object. */
function unboxed(value: unknown, nested: NestedEncoder): unknown {
  if (types.isNumberObject(value)) return nested.field("", Number(value));
  if (types.isStringObject(value)) return String(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value))
    return records.bigintRecord(BigInt.prototype.valueOf.call(value));
  return undefined;
}
