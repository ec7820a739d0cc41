// What the package needs of its runtime. Nothing of Node.js is imported, so that the same files run
// in Workers and browsers, and bundlers find no missing module.

type NodeTypes = typeof import("node:util").types;
type Types = Pick<
  NodeTypes,
  | "isAnyArrayBuffer"
  | "isBigIntObject"
  | "isBooleanObject"
  | "isBoxedPrimitive"
  | "isDate"
  | "isMap"
  | "isNativeError"
  | "isNumberObject"
  | "isProxy"
  | "isRegExp"
  | "isSet"
  | "isStringObject"
  | "isUint8Array"
>;

/** A built-in module of Node.js; undefined in runtimes that lack it. */
export function builtinModule<Module>(name: string): Module | undefined {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  return process?.getBuiltinModule?.(name) as Module | undefined;
}

/** Makes a test for instances of a class from a method that throws on anything else. */
function brand(method: (this: unknown) => unknown): (value: unknown) => boolean {
  return (value) => {
    try {
      method.call(value);
      return true;
    } catch {
      return false;
    }
  };
}

/** The getter of a class's property. It throws on anything but an instance. */
function getter(prototype: object, name: PropertyKey): (this: unknown) => unknown {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new TypeError(`${String(name)} is no getter`);
  return get;
}

const typedArrayName = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

/** The tests of `node:util` types that the language itself allows, for runtimes without Node.js. */
export function portableTypes(): Types {
  const isBoxed = {
    isNumberObject: brand(Number.prototype.valueOf),
    isStringObject: brand(String.prototype.valueOf),
    isBooleanObject: brand(Boolean.prototype.valueOf),
    isBigIntObject: brand(BigInt.prototype.valueOf),
  };
  const isSymbolObject = brand(Symbol.prototype.valueOf);
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  const boxed = (is: (value: unknown) => boolean) => (value: unknown) =>
    isObject(value) && is(value);
  const isBuffer = brand(getter(ArrayBuffer.prototype, "byteLength"));
  const isSharedBuffer =
    typeof SharedArrayBuffer === "undefined"
      ? () => false
      : brand(getter(SharedArrayBuffer.prototype, "byteLength"));
  const types = {
    isAnyArrayBuffer: (value: unknown) => isBuffer(value) || isSharedBuffer(value),
    isBigIntObject: boxed(isBoxed.isBigIntObject),
    isBooleanObject: boxed(isBoxed.isBooleanObject),
    isNumberObject: boxed(isBoxed.isNumberObject),
    isStringObject: boxed(isBoxed.isStringObject),
    isBoxedPrimitive: boxed((value) => {
      return isSymbolObject(value) || Object.values(isBoxed).some((is) => is(value));
    }),
    isDate: brand(Date.prototype.getTime),
    isMap: brand(getter(Map.prototype, "size")),
    isNativeError: (value: unknown) => Object.prototype.toString.call(value) === "[object Error]",
    // JavaScript cannot tell proxies apart. A proxy is compared by what reading it gives, which is
    // also what a serializer sees.
    isProxy: () => false,
    isRegExp: brand(getter(RegExp.prototype, "global")),
    isSet: brand(getter(Set.prototype, "size")),
    isUint8Array: (value: unknown) => typedArrayName.call(value) === "Uint8Array",
  };
  return types as unknown as Types;
}

/** Tests of a value's built-in class, independent of its prototype. */
export const types: Types =
  builtinModule<typeof import("node:util")>("node:util")?.types ?? portableTypes();

/** The `toJSON` of Node.js's buffers; undefined in runtimes without them. */
export const bufferToJson: unknown = (globalThis as { Buffer?: { prototype: object } }).Buffer
  ? Reflect.get(globalThis.Buffer.prototype, "toJSON")
  : undefined;

/** Every engine accepts this many arguments. */
const ARGUMENTS_MAX = 8192;

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  if (bufferToJson !== undefined) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  }
  let binary = "";
  for (let at = 0; at < bytes.length; at += ARGUMENTS_MAX) {
    binary += String.fromCharCode(...bytes.subarray(at, at + ARGUMENTS_MAX));
  }
  return btoa(binary);
}

/** The bytes of a base64 text; undefined if it is not exactly what `toBase64` writes. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes =
      bufferToJson === undefined
        ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
        : new Uint8Array(Buffer.from(text, "base64"));
    return toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  return bufferToJson === undefined ? portableFromHex(hex) : Buffer.from(hex, "hex");
}

/** The same without Node.js's functions. */
export function portableFromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => {
    return Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  });
}

/**
 * Warns the developer at once. `process.emitWarning` waits for the next turn, which never comes
 * while the process exits.
 */
export function emitWarningNow(message: string, type: string): void {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const warning = Object.assign(new Error(message), { name: type });
  // Without listeners, warnings were turned off.
  if (process?.emit) process.emit("warning", warning);
  else console.warn(`${type}: ${message}`);
}

/** Warns the developer in the runtime's own way. */
export function emitWarning(message: string, type: string): void {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  if (process?.emitWarning) process.emitWarning(message, { type });
  else console.warn(`${type}: ${message}`);
}
