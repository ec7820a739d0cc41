import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { emitWarning, types } from "../platform/runtime.js";
import { omittedKind } from "./builtins.js";
import { describePlace, formatPath, type PathStep, SerializationError } from "./errors.js";
import { placeOfThrow } from "./locate.js";
import { partText, type ValueShape } from "./parts.js";
import { plainText } from "./plain.js";
import { readParsed } from "./read.js";
import { Encoder } from "./write.js";

/** The type of stored bytes: JSON text in UTF-8, or the bytes of a value that is bytes. */
export type SerializationType = "json" | "bytes";

export interface JsonPlusSerdeOptions {
  /** Refuse a function or symbol inside a value, which is otherwise left out with a warning. */
  strict?: boolean;
  /** Receives each warning once; by default they are Node.js process warnings. */
  onWarning?: (message: string) => void;
}

/** Bounds what a long-lived serializer remembers of its warnings. */
const WARNINGS_MAX = 1000;

/** Lists of more items than this are long. */
const LONG_LENGTH = 64;

/** Stands for a whole that is not known: no value lies in it twice. */
const NO_WHOLE = Object.freeze({});

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads and writes values in the wire format of LangGraph.js's JsonPlusSerializer, synchronously.
 *
 * What that format keeps is written in the same bytes and read to equal values. Values that it
 * loses are kept by records of their own: Date, BigInt, NaN, infinities, -0, typed arrays, and user
 * data that looks like a record. So are nested bytes, which that format writes number by number;
 * what it has written is read. A nested Node.js Buffer comes back as a Uint8Array.
 *
 * The text has no optional whitespace, so a list's text is `[`, its elements' texts joined by `,`,
 * and `]`, and a map's is alike with braces: `dumpsElement` writes them one by one.
 */
export class JsonPlusSerde implements SerializerProtocol {
  readonly #strict: boolean;
  readonly #warn: (message: string) => void;
  readonly #warned = new Set<string>();
  /** The place that is written: a channel's, mostly. */
  #at: readonly PathStep[] = [];

  constructor({ strict = false, onWarning = emitProcessWarning }: JsonPlusSerdeOptions = {}) {
    this.#strict = strict;
    this.#warn = onWarning;
  }

  /** Writes a value. The bytes are the caller's own: later changes to the value do not show. */
  dumps(value: unknown): [SerializationType, Uint8Array] {
    if (types.isUint8Array(value)) return ["bytes", typed(value, () => new Uint8Array(value))];
    return ["json", encoder.encode(this.#stringify(value))];
  }

  /** Reads what `dumps`, or LangGraph.js's own serializer, has written. */
  loads(type: string, data: Uint8Array | string): unknown {
    switch (type) {
      case "json":
        return parse(data);
      case "bytes":
        return typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
      default:
        throw new SerializationError(
          "unknown-serialization-type",
          (place) =>
            `${place} is stored with a serialization type other than "json" and "bytes"; ` +
            "read it with the serializer that wrote it",
        );
    }
  }

  /**
   * Writes one element of a value whose shape `shapeOf` gives: the texts of all elements, joined by
   * `,`, are the text of the value between its brackets or braces. A map's element is its key and
   * value, and undefined where JSON leaves it out.
   *
   * @param whole The value that the element lies in, so that a cycle through it is named alike.
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
   * Whether a value of a channel's is left out, as it would be inside another: a function, a
   * symbol, or an object of which nothing would be stored. Warns, and throws with `strict`.
   */
  leavesOut(channel: string, value: unknown): boolean {
    const kind = typed(value, () => omittedKind(value), [channel]);
    if (kind !== undefined) this.#leaveOut([channel], kind);
    return kind !== undefined;
  }

  /** Writes values of a place that warnings name. */
  within<Written>(place: readonly PathStep[], write: () => Written): Written {
    const outer = this.#at;
    this.#at = place;
    try {
      return write();
    } finally {
      this.#at = outer;
    }
  }

  /** Warns that part of a value is left out, once for each kind of fault in a place. */
  warnLeftOut(error: SerializationError): void {
    if (this.#strict) throw error;
    this.#warnOnce(
      `${formatPath(this.#at)} ${error.code}`,
      `what cannot be stored is left out: ${error.within(this.#at).message}`,
    );
  }

  async dumpsTyped(value: unknown): Promise<[SerializationType, Uint8Array]> {
    return this.dumps(value);
  }

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

/** Whether the engine's own way to write JSON, though it comes second, takes less time. */
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
  try {
    return readParsed(parsed);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const say = (place: string) => `${place} is stored nested too deeply to be read`;
    throw new SerializationError("unreadable-value", say, [], { cause: error });
  }
}

/** The engine's own errors quote the text, which is the user's data, so they are not passed on. */
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

/** Gives every error of a writer the type that users are promised, and the value's place in it. */
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
