import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { emitWarning, types } from "../platform/runtime.js";
import { omittedKind } from "./builtins.js";
import { describePlace, formatPath, type PathStep, SerializationError } from "./errors.js";
import { placeOfThrow } from "./locate.js";
import { partText, type ValueShape } from "./parts.js";
import { plainText } from "./plain.js";
import { readPython } from "./python/values.js";
import { readParsed } from "./read.js";
import { Encoder } from "./write.js";

/**
 * The type of bytes that are written: JSON text in UTF-8, or the bytes of a value that is a
 * Uint8Array.
 */
export type SerializationType = "json" | "bytes";

/** The options of `JsonPlusSerde`. */
export interface JsonPlusSerdeOptions {
  /** Throw on a function or symbol inside a value. By default it is left out, with a warning. */
  strict?: boolean;
  /** Receives each warning once. Defaults to the runtime's own warnings. */
  onWarning?: (message: string) => void;
}

/** The bound of the warnings that a serializer remembers, so as not to repeat them. */
const WARNINGS_MAX = 1000;

/** A list of more items than this is long. */
const LONG_LENGTH = 64;

/** The whole of an element whose whole is not known. No value contains it. */
const NO_WHOLE = Object.freeze({});

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads and writes values in the format of LangGraph.js's JsonPlusSerializer, synchronously.
 *
 * What that format keeps is written as the same bytes and read as equal values. What it loses is
 * kept by additional records: Date, BigInt, NaN, infinities, -0, typed arrays, and user data that
 * looks like a record. Nested bytes have a record too, as that format writes them number by number;
 * that form can be read. A nested Node.js Buffer comes back as a Uint8Array.
 *
 * It also reads what LangGraph's Python serializer writes: the types `msgpack`, `null` and
 * `bytearray`. docs/languages.md says what becomes of each value.
 *
 * The text has no optional whitespace. So a list's text is `[`, its elements' texts joined by `,`,
 * and `]`, and a map's is the same with braces. `dumpsElement` writes these elements.
 */
export class JsonPlusSerde implements SerializerProtocol {
  readonly #strict: boolean;
  readonly #warn: (message: string) => void;
  readonly #warned = new Set<string>();
  /** The path of the value that is being written, usually a channel. */
  #at: readonly PathStep[] = [];

  constructor({ strict = false, onWarning = emitProcessWarning }: JsonPlusSerdeOptions = {}) {
    this.#strict = strict;
    this.#warn = onWarning;
  }

  /**
   * Serializes a value: its type and bytes. The bytes are a copy, so later changes of the value do
   * not show. Throws `SerializationError`.
   */
  dumps(value: unknown): [SerializationType, Uint8Array] {
    if (types.isUint8Array(value)) return ["bytes", typed(value, () => new Uint8Array(value))];
    return ["json", encoder.encode(this.#stringify(value))];
  }

  /**
   * Revives what `dumps`, LangGraph.js's own serializer or LangGraph's in Python has written.
   * Throws `SerializationError`.
   */
  loads(type: string, data: Uint8Array | string): unknown {
    switch (type) {
      case "json":
        return parse(data);
      case "bytes":
      case "bytearray":
        return toBytes(data);
      case "msgpack":
        return unlessTooDeep(() => readPython(toBytes(data)));
      case "null":
        return null;
      default:
        throw new SerializationError(
          "unknown-serialization-type",
          (place) =>
            `${place} is stored with a serialization type other than "json", "bytes" and those ` +
            'of Python ("msgpack", "bytearray", "null"); read it with the serializer that wrote it',
        );
    }
  }

  /**
   * Writes one element of a list or map, so that the elements' texts, joined by `,`, are the text
   * between the brackets or braces. The text of a map's element includes its key. Undefined if JSON
   * leaves the element out of a map.
   *
   * @param whole The value that contains the element, so that a cycle through it is reported the
   *   same.
   */
  dumpsElement(
    shape: ValueShape,
    key: string | number,
    element: unknown,
    whole: object = NO_WHOLE,
  ): string | undefined {
    const write = () => {
      const encoder = this.#encoder();
      const text = encoder.text(encoder.encodePart(element, key, whole));
      if (text !== undefined) return partText(shape, key, text);
      return shape === "list" ? "null" : undefined;
    };
    return typed(element, write, [key]);
  }

  /**
   * Whether a channel's value is left out, as it would be inside another value: a function, a
   * symbol, or an object with nothing to store. Then warns, or throws if `strict`.
   */
  leavesOut(channel: string, value: unknown): boolean {
    const kind = typed(value, () => omittedKind(value), [channel]);
    if (kind !== undefined) this.#leaveOut([channel], kind);
    return kind !== undefined;
  }

  /** Runs `write` with `place` as the path that warnings begin with. */
  within<Written>(place: readonly PathStep[], write: () => Written): Written {
    const outer = this.#at;
    this.#at = place;
    try {
      return write();
    } finally {
      this.#at = outer;
    }
  }

  /**
   * Warns that part of a value is left out, once for each code and place. Throws the error if
   * `strict`.
   */
  warnLeftOut(error: SerializationError): void {
    if (this.#strict) throw error;
    this.#warnOnce(
      `${formatPath(this.#at)} ${error.code}`,
      `what cannot be stored is left out: ${error.within(this.#at).message}`,
    );
  }

  /** `dumps`, as LangGraph calls it. */
  async dumpsTyped(value: unknown): Promise<[SerializationType, Uint8Array]> {
    return this.dumps(value);
  }

  /** `loads`, as LangGraph calls it. */
  async loadsTyped(type: string, data: Uint8Array | string): Promise<unknown> {
    return this.loads(type, data);
  }

  #stringify(value: unknown): string {
    const plain = isLong(value) ? undefined : plainText(value);
    return plain ?? typed(value, () => this.#encodedText(value));
  }

  #encoder(): Encoder {
    return new Encoder((path, kind) => {
      if (path.length === 0) throw refused(path, kind);
      this.#leaveOut(path, kind);
    });
  }

  #encodedText(value: unknown): string {
    const encoder = this.#encoder();
    return encoder.text(encoder.encode(value)) ?? "";
  }

  #leaveOut(steps: readonly PathStep[], kind: string): void {
    if (this.#strict) throw refused(steps, kind);
    const path = [...this.#at, ...steps];
    this.#warnOnce(
      formatPath(path),
      `a ${kind} cannot be stored and is left out: ${describePlace(path)}`,
    );
  }

  #warnOnce(about: string, message: string): void {
    if (this.#warned.has(about) || this.#warned.size >= WARNINGS_MAX) return;
    this.#warned.add(about);
    this.#warn(message);
  }
}

/** Whether `JSON.stringify` after encoding is faster than `plainText`. */
function isLong(value: unknown): boolean {
  return Array.isArray(value) && value.length > LONG_LENGTH;
}

function refused(path: readonly PathStep[], kind: string): SerializationError {
  const say = (place: string) =>
    `a ${kind} cannot be stored: ${place}; store data instead, or leave it out`;
  return new SerializationError("unserializable-value", say, path);
}

function parse(data: Uint8Array | string): unknown {
  const parsed = parseJson(data);
  return unlessTooDeep(() => readParsed(parsed));
}

function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
}

function unlessTooDeep(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const say = (place: string) => `${place} is stored nested too deeply to be read`;
    throw new SerializationError("unreadable-value", say, [], { cause: error });
  }
}

/** The engine's errors quote the text, which is the user's data, so they are not passed on. */
function parseJson(data: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof data === "string" ? data : decoder.decode(data));
  } catch {
    const say = (place: string) =>
      `what is stored of ${place} (length ${data.length}) is not JSON text in UTF-8; ` +
      "its row is damaged or holds a value of another type";
    throw new SerializationError("unreadable-value", say);
  }
}

/** Turns every error of a writer into a `SerializationError` with the path of the value. */
function typed<Written>(
  value: unknown,
  write: () => Written,
  path: readonly PathStep[] = [],
): Written {
  try {
    return write();
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    const steps = error instanceof RangeError ? path : [...path, ...placeOfThrow(value)];
    const say =
      error instanceof RangeError
        ? (place: string) => `${place} is nested too deeply or too large to be stored`
        : (place: string) => `reading ${place} threw an error; see its cause`;
    throw new SerializationError("unserializable-value", say, steps, { cause: error });
  }
}

function emitProcessWarning(message: string): void {
  emitWarning(message, "SerializationWarning");
}
