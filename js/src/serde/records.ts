/**
 * The records of the serialized form: JSON objects with an `lc` key for values that JSON lacks.
 *
 * `lc: 1` is LangChain's own form of its classes and `lc: 2` is LangGraph.js's form of JavaScript
 * values. The `lc: 2` types `number`, `bigint`, `date`, `binary` and `escaped` are this package's
 * additions; LangGraph.js's reader returns them as plain objects.
 */
import { DeltaSnapshot } from "@langchain/langgraph-checkpoint";

import { fromBase64, toBase64 } from "../platform/runtime.js";
import { DATETIME, dateOfPython, FROM_ISO_FORMAT } from "./python/dates.js";

/** An object whose keys are not known. */
export type Fields = Record<string, unknown>;

/** The key under which LangChain wraps user data with an `lc` key inside a class's kwargs. */
export const WRAPPER_KEY = "__lc_escaped__";

/** The record of undefined. */
export const UNDEFINED_RECORD = Object.freeze({ lc: 2, type: "undefined" });

const inert = new WeakSet<object>();

/** Remembers that an object was read as a record of no known kind. */
export function markInert(record: object): void {
  inert.add(record);
}

/** Whether `markInert` was called with this object. */
export function isInert(value: object): boolean {
  return inert.has(value);
}

/** Whether a value is an object other than an array. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether `Object.prototype` has enumerable keys. A `for...in` loop would take them for an object's
 * own.
 */
export function isObjectPrototypeExtended(): boolean {
  for (const key in Object.prototype) return key !== undefined;
  return false;
}

/** Sets an own property. Assigning `__proto__` would set the prototype. */
export function setOwn(target: Fields, key: string, value: unknown): void {
  if (key === "__proto__") {
    const own = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(target, key, own);
  } else {
    target[key] = value;
  }
}

/** The record of an instance that a constructor makes of already encoded arguments. */
export function constructorRecord(name: string, args: unknown[]): Fields {
  return { lc: 2, type: "constructor", id: [name], method: null, args, kwargs: {} };
}

/** The record of a `DeltaSnapshot`, with its value already encoded. */
export function deltaSnapshotRecord(value: unknown): Fields {
  return { lc: 2, type: "delta_snapshot", value };
}

/** The record of a number that JSON lacks: NaN, an infinity or -0. */
export function numberRecord(value: number): Fields {
  return { lc: 2, type: "number", value: Object.is(value, -0) ? "-0" : String(value) };
}

/** The record of a bigint. */
export function bigintRecord(value: bigint): Fields {
  return { lc: 2, type: "bigint", value: value.toString() };
}

/** The record of a date; an invalid one has the value null. */
export function dateRecord(value: Date): Fields {
  const text = Number.isNaN(value.getTime()) ? null : value.toISOString();
  return { lc: 2, type: "date", value: text };
}

/**
 * The record of a buffer or a view of one: its kind, and its bytes as in memory, little-endian on
 * every common platform. Undefined for a kind that cannot be read back.
 */
export function binaryRecord(value: ArrayBufferView | ArrayBufferLike): Fields | undefined {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  const kind = tag === "SharedArrayBuffer" ? "ArrayBuffer" : tag;
  if (!BUFFER_READERS.has(kind)) return undefined;
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  return { lc: 2, type: "binary", value: [kind, toBase64(bytes)] };
}

/**
 * The record of user data that a reader would take for a record. The entries are a list, so that no
 * reader finds a record in it.
 */
export function escapedRecord(value: Fields): Fields {
  return { lc: 2, type: "escaped", value: Object.entries(value) };
}

/** Whether an object is LangChain's wrapper of user data: its only key is `WRAPPER_KEY`. */
export function isWrapper(value: Fields): boolean {
  if (!Object.hasOwn(value, WRAPPER_KEY)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === WRAPPER_KEY;
}

/** Makes the value of a record. `read` revives the values nested in the record. */
export type Decoder = (read: (nested: unknown) => unknown) => unknown;

/**
 * The decoder of an `lc: 2` record; undefined if the object is not a record of the closed set. Only
 * its shape decides: nothing in it names code to run.
 */
export function recordDecoder(record: Fields): Decoder | undefined {
  switch (record.type) {
    case "undefined":
      return () => undefined;
    case "delta_snapshot":
      if (!Object.hasOwn(record, "value")) return undefined;
      return (read) => new DeltaSnapshot(read(record.value));
    case "constructor":
      return constructorDecoder(record);
    case "number":
    case "bigint":
    case "date":
    case "binary":
    case "escaped":
      if (Object.keys(record).length !== 3) return undefined;
      return ownDecoder(record.type, record.value);
    default:
      return undefined;
  }
}

/**
 * Whether Python would take an object for a record of one of its own values: those have a module
 * before the name.
 */
export function isPythonRecord({ lc, type, id }: Fields): boolean {
  return lc === 2 && type === "constructor" && Array.isArray(id) && id.length > 1;
}

function constructorDecoder({ id, method, args }: Fields): Decoder | undefined {
  if (!Array.isArray(id) || !Array.isArray(args)) return undefined;
  if (id.length > 1) return datetimeDecoder(id, method, args);
  const plain = method === undefined || method === null;
  if (id[0] === "Uint8Array" && (plain || method === "from")) return bytesDecoder(args);
  if (!plain) return undefined;
  switch (id[0]) {
    case "Set":
      return setDecoder(args);
    case "Map":
      return mapDecoder(args);
    case "RegExp":
      return regExpDecoder(args);
    case "Error": {
      const message: unknown = args[0];
      if (args.length !== 1 || typeof message !== "string") return undefined;
      return () => new Error(message);
    }
    default:
      return undefined;
  }
}

function datetimeDecoder(
  id: readonly unknown[],
  method: unknown,
  args: readonly unknown[],
): Decoder | undefined {
  if (id.length !== 2 || id[0] !== DATETIME[0] || id[1] !== DATETIME[1]) return undefined;
  if (method !== FROM_ISO_FORMAT || args.length !== 1 || typeof args[0] !== "string") {
    return undefined;
  }
  const date = dateOfPython(args[0]);
  return date && (() => date);
}

function onlyList(args: unknown[]): unknown[] | undefined {
  const list = args[0];
  return args.length === 1 && Array.isArray(list) ? list : undefined;
}

function bytesDecoder(args: unknown[]): Decoder | undefined {
  const list = onlyList(args);
  if (list === undefined) return undefined;
  const bytes = new Uint8Array(list.length);
  for (let index = 0; index < list.length; index += 1) {
    const byte = list[index];
    if (typeof byte !== "number" || !Number.isInteger(byte) || byte < 0 || byte > 255) {
      return undefined;
    }
    bytes[index] = byte;
  }
  return () => bytes;
}

function setDecoder(args: unknown[]): Decoder | undefined {
  const list = onlyList(args);
  return list && ((read) => new Set(list.map(read)));
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function mapDecoder(args: unknown[]): Decoder | undefined {
  const list = onlyList(args);
  if (!list?.every(isPair)) return undefined;
  return (read) => new Map(list.map(([key, value]) => [read(key), read(value)]));
}

function regExpDecoder(args: unknown[]): Decoder | undefined {
  const [source, flags] = args;
  if (args.length !== 2 || typeof source !== "string" || typeof flags !== "string") {
    return undefined;
  }
  try {
    const expression = new RegExp(source, flags);
    return () => expression;
  } catch (error) {
    // An expression that this engine cannot compile stays a plain object.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function ownDecoder(type: string, value: unknown): Decoder | undefined {
  if (type === "binary") return binaryDecoder(value);
  if (type === "escaped") return escapedDecoder(value);
  if (type === "date" && value === null) return () => new Date(Number.NaN);
  if (typeof value !== "string") return undefined;
  if (type === "number") return numberDecoder(value);
  if (type === "bigint") return bigintDecoder(value);
  const date = new Date(value);
  if (Number.isNaN(date.getTime()) || date.toISOString() !== value) return undefined;
  return () => date;
}

function numberDecoder(text: string): Decoder | undefined {
  switch (text) {
    case "NaN":
    case "Infinity":
    case "-Infinity":
    case "-0":
      return () => Number(text);
    default:
      return undefined;
  }
}

function bigintDecoder(text: string): Decoder | undefined {
  if (!/^(?:0|-?[1-9]\d*)$/.test(text)) return undefined;
  return () => BigInt(text);
}

function isEntry(value: unknown): value is [string, unknown] {
  return isPair(value) && typeof value[0] === "string";
}

function escapedDecoder(value: unknown): Decoder | undefined {
  if (!Array.isArray(value) || !value.every(isEntry)) return undefined;
  return (read) => Object.fromEntries(value.map(([key, nested]) => [key, read(nested)]));
}

const BUFFER_READERS: ReadonlyMap<unknown, (buffer: ArrayBuffer) => unknown> = new Map<
  unknown,
  (buffer: ArrayBuffer) => unknown
>([
  ["ArrayBuffer", (buffer) => buffer],
  ["DataView", (buffer) => new DataView(buffer)],
  ["Uint8Array", (buffer) => new Uint8Array(buffer)],
  ["Int8Array", (buffer) => new Int8Array(buffer)],
  ["Uint8ClampedArray", (buffer) => new Uint8ClampedArray(buffer)],
  ["Int16Array", (buffer) => new Int16Array(buffer)],
  ["Uint16Array", (buffer) => new Uint16Array(buffer)],
  ["Int32Array", (buffer) => new Int32Array(buffer)],
  ["Uint32Array", (buffer) => new Uint32Array(buffer)],
  ["Float32Array", (buffer) => new Float32Array(buffer)],
  ["Float64Array", (buffer) => new Float64Array(buffer)],
  ["BigInt64Array", (buffer) => new BigInt64Array(buffer)],
  ["BigUint64Array", (buffer) => new BigUint64Array(buffer)],
]);

function binaryDecoder(value: unknown): Decoder | undefined {
  if (!isPair(value)) return undefined;
  const [kind, text] = value;
  const reader = BUFFER_READERS.get(kind);
  if (reader === undefined || typeof text !== "string") return undefined;
  const bytes = fromBase64(text);
  if (bytes === undefined) return undefined;
  try {
    const view = reader(bytes.buffer);
    return () => view;
  } catch (error) {
    // Bytes whose length is not a multiple of the element's size stay a plain object.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
