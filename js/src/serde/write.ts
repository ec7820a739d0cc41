/**
 * Turns a value into plain JSON data that `JSON.stringify` writes unchanged. Parts of the value
 * that are such data already are passed on, not copied.
 */
import { builtInJson, emptyKind, type NestedEncoder, recordBeforeToJson } from "./builtins.js";
import { type CoreClass, coreClassOf, kwargOf } from "./classes.js";
import { type PathStep, SerializationError } from "./errors.js";
import { inPlaces, placeholder } from "./places.js";
import { isRecord } from "./read.js";
import * as records from "./records.js";
import {
  type Fields,
  isFields,
  isInert,
  isObjectPrototypeExtended,
  isPythonRecord,
  isWrapper,
  setOwn,
  WRAPPER_KEY,
} from "./records.js";

/**
 * Where a value is. Inside the kwargs of a LangChain class, user data with an `lc` key is wrapped
 * as LangChain wraps it. In kwargs that a class's own `toJSON` has made, it is wrapped already.
 */
type Place = "data" | "kwargs" | "wrapped kwargs";

type WithToJson = { toJSON: (key: string) => unknown };

/**
 * Values are rarely nested this deep, and a cycle always is: cycles are looked for from this depth
 * on.
 */
const CYCLE_CHECK_DEPTH = 32;

/**
 * At most this many levels are encoded recursively. Deeper values are encoded separately after
 * them, as JSON may be nested deeper than calls may.
 */
const DEPTH_AT_ONCE = 256;

/** How many levels a record's decoder looks into an object before it takes it for a record. */
const RECORD_DEPTH = 4;

/** Deeper values are refused, which also stops values that never end. */
const DEPTH_MAX = 10_000;

const SEND_KEYS: ReadonlySet<string> = new Set(["lg_name", "node", "args", "timeout"]);

/**
 * Called for each value that is left out: a function, a symbol, or an object with nothing to store.
 */
export type OnOmitted = (path: readonly PathStep[], kind: string) => void;

/** A value that is encoded later, and its position. */
interface Later {
  readonly value: object;
  readonly depth: number;
  readonly place: Place;
  readonly path: readonly PathStep[];
  readonly ancestors: readonly object[];
}

/** Encodes one value; an encoder is used once. */
export class Encoder {
  readonly #onOmitted: OnOmitted;
  readonly #path: PathStep[] = [];
  readonly #ancestors: object[] = [];
  readonly #later: Later[] = [];
  /** The depth at which the current recursion began. */
  #begin = 0;
  /** The depth of the last object that came from a `toJSON` and has an `lc` key. */
  #replacedRecord = -RECORD_DEPTH;
  /** Whether `for...in` over an ordinary object finds only its own keys. */
  readonly #walks = !isObjectPrototypeExtended();

  constructor(onOmitted: OnOmitted) {
    this.#onOmitted = onOmitted;
  }

  /** The JSON data of a value; undefined if it is left out. */
  encode(value: unknown): unknown {
    return this.#value(value, "", 0, "data");
  }

  /** The same for a value that `whole` contains under a key. Errors name its path in `whole`. */
  encodePart(part: unknown, key: PathStep, whole: object): unknown {
    this.#ancestors[0] = whole;
    return this.#value(part, key, 1, "data");
  }

  /**
   * The JSON text of encoded data, with the values that were left for later; undefined for
   * undefined.
   */
  text(json: unknown): string | undefined {
    const text: string | undefined = JSON.stringify(json);
    if (text === undefined || this.#later.length === 0) return text;
    const texts = [text];
    for (let index = 0; index < this.#later.length; index += 1) {
      texts.push(JSON.stringify(this.#encodeLater(this.#later[index])));
    }
    return inPlaces(texts);
  }

  #encodeLater(later: Later | undefined): unknown {
    if (later === undefined) return null;
    const { value, depth, place, path, ancestors } = later;
    this.#path.splice(0, this.#path.length, ...path);
    this.#ancestors.splice(0, this.#ancestors.length, ...ancestors);
    this.#begin = depth;
    return this.#object(value, path[depth] ?? "", depth, place);
  }

  /**
   * Leaves a value for later and returns its placeholder. Undefined if that is not possible,
   * because how the values around it are written depends on it.
   */
  #leave(value: object, depth: number, place: Place): string | undefined {
    if (depth - this.#replacedRecord <= RECORD_DEPTH || isOmittable(value)) return undefined;
    const nearest = this.#ancestors.slice(depth - RECORD_DEPTH, depth);
    if (nearest.some((ancestor) => "lc" in ancestor)) return undefined;
    const path = this.#path.slice(0, depth + 1);
    const ancestors = this.#ancestors.slice(0, depth);
    return placeholder(this.#later.push({ value, depth, place, path, ancestors }) - 1);
  }

  #value(value: unknown, key: PathStep, depth: number, place: Place): unknown {
    return typeof value === "object" && value !== null
      ? this.#object(value, key, depth, place)
      : this.#primitive(value, key, depth, place);
  }

  #primitive(value: unknown, key: PathStep, depth: number, place: Place): unknown {
    switch (typeof value) {
      case "number":
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return records.numberRecord(value);
      case "undefined":
        return records.UNDEFINED_RECORD;
      case "bigint":
        return records.bigintRecord(value);
      case "function":
      case "symbol":
        return this.#function(value, key, depth, place);
      default:
        return value;
    }
  }

  /** A function with a `toJSON` is written as what that returns, as JSON does. */
  #function(value: unknown, key: PathStep, depth: number, place: Place): unknown {
    this.#path[depth] = key;
    if (typeof value === "function" && hasToJson(value)) {
      return this.#replacement(this.#callToJson(value, key, depth), depth, place);
    }
    this.#onOmitted(this.#stepsTo(depth), typeof value === "symbol" ? "symbol" : "function");
    return undefined;
  }

  #object(value: object, key: PathStep, depth: number, place: Place): unknown {
    this.#path[depth] = key;
    this.#ancestors[depth] = value;
    if (depth > CYCLE_CHECK_DEPTH) this.#checkDeep(value, depth);
    if (depth - this.#begin >= DEPTH_AT_ONCE) {
      const left = this.#leave(value, depth, place);
      if (left !== undefined) return left;
    }
    // The two common kinds are handled here: fewer stack frames allow deeper nesting.
    if (Array.isArray(value) && !hasToJson(value)) return this.#items(value, depth, place);
    if (this.#walks && place !== "wrapped kwargs" && isPlain(value)) {
      return this.#plain(value, depth, place);
    }
    return this.#other(value, key, depth, place);
  }

  /** An ordinary object. It hardly ever looks like a record. */
  #plain(value: Fields, depth: number, place: Place): unknown {
    let copy: Fields | undefined;
    let isMarked = false;
    for (const key in value) {
      if (key === "lc" || key === "lg_name" || key === WRAPPER_KEY) {
        if (place === "kwargs") return this.#data(value, depth, place, false);
        isMarked = true;
      }
      const field = value[key];
      if (typeof field === "string" && copy === undefined) continue;
      const encoded =
        typeof field === "object" && field !== null
          ? this.#object(field, key, depth + 1, place)
          : this.#primitive(field, key, depth + 1, place);
      if (copy === undefined) {
        if (encoded === field) continue;
        copy = fieldsBefore(value, key);
      }
      if (encoded !== undefined) setOwn(copy, key, encoded);
    }
    const json = copy ?? value;
    return isMarked ? escaped(json, value) : json;
  }

  #other(value: object, key: PathStep, depth: number, place: Place): unknown {
    if (!isFields(value)) {
      // An array gets here only if it has a `toJSON`.
      if (!hasToJson(value)) return undefined;
      return this.#replacement(this.#callToJson(value, key, depth), depth, place);
    }
    const core = coreClassOf(value);
    if (core?.writes(value)) return this.#coreInstance(core, value, depth);
    if (isPlain(value)) return this.#data(value, depth, place, false);
    const record = recordBeforeToJson(value);
    if (record !== undefined) return record;
    if (!hasToJson(value)) return this.#instance(value, depth, place);
    const json = this.#callToJson(value, key, depth);
    if ("lc_serializable" in value && isFields(json) && json.lc === 1) {
      return this.#langChainJson(json, depth);
    }
    return this.#replacement(json, depth, place);
  }

  /** Encodes what a `toJSON` returned. As in JSON, a `toJSON` of that is not called. */
  #replacement(json: unknown, depth: number, place: Place): unknown {
    if (typeof json !== "object" || json === null) {
      return this.#value(json, this.#path[depth] ?? "", depth, place);
    }
    if ("lc" in json) this.#replacedRecord = depth;
    if (!isFields(json)) return Array.isArray(json) ? this.#items(json, depth, place) : undefined;
    const core = coreClassOf(json);
    if (core?.writes(json)) return this.#coreInstance(core, json, depth);
    return recordBeforeToJson(json) ?? this.#instance(json, depth, place);
  }

  #instance(value: Fields, depth: number, place: Place): unknown {
    const nested: NestedEncoder = {
      field: (name, field) => this.#value(field, name, depth + 1, place),
      items: (items) => this.#items(items, depth, place),
    };
    const json = builtInJson(value, nested);
    if (json !== undefined) return json;
    const kind = emptyKind(value);
    if (kind === undefined) return this.#data(value, depth, place, true);
    this.#onOmitted(this.#stepsTo(depth), kind);
    return undefined;
  }

  #items(items: unknown[], depth: number, place: Place): unknown[] {
    let copy: unknown[] | undefined;
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      const encoded =
        typeof item === "object" && item !== null
          ? this.#object(item, index, depth + 1, place)
          : this.#primitive(item, index, depth + 1, place);
      if (copy === undefined) {
        if (encoded === item) continue;
        // Not `slice`: the array may be of a subclass, whose methods must not be called.
        copy = [];
        for (let earlier = 0; earlier < index; earlier += 1) copy[earlier] = items[earlier];
      }
      copy[index] = encoded;
    }
    return copy ?? items;
  }

  /** An object's own fields, escaped if a reader would take them for a record. */
  #data(value: Fields, depth: number, place: Place, copied: boolean): unknown {
    if (place === "wrapped kwargs") return this.#wrappedData(value, depth);
    const wraps =
      place === "kwargs" && (hasField(value, "lc") || isWrapper(value)) && !isInert(value);
    const json = this.#fields(value, depth, wraps ? "data" : place, copied);
    if (!wraps) return escaped(json, value);
    return isRecord(json) ? records.escapedRecord(json) : { [WRAPPER_KEY]: json };
  }

  /** User data inside kwargs that LangChain's own `toJSON` has copied and wrapped. */
  #wrappedData(value: Fields, depth: number): unknown {
    if (isWrapper(value)) {
      const wrapped = value[WRAPPER_KEY];
      const json = isFields(wrapped)
        ? this.#fields(wrapped, depth, "data", true)
        : this.#value(wrapped, WRAPPER_KEY, depth + 1, "data");
      return { [WRAPPER_KEY]: json };
    }
    // LangChain marks a cycle with this record. User data like it would have been wrapped.
    if (value.lc === 1 && value.type === "not_implemented") throw this.#cycleAt(depth);
    return this.#fields(value, depth, "wrapped kwargs", false);
  }

  #fields(value: Fields, depth: number, place: Place, copied: boolean): Fields {
    const keys = Object.keys(value);
    let copy: Fields | undefined = copied ? {} : undefined;
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index];
      if (key === undefined) continue;
      const field = value[key];
      const encoded =
        typeof field === "object" && field !== null
          ? this.#object(field, key, depth + 1, place)
          : this.#primitive(field, key, depth + 1, place);
      if (copy === undefined) {
        if (encoded === field) continue;
        copy = {};
        for (const earlier of keys.slice(0, index)) setOwn(copy, earlier, value[earlier]);
      }
      if (encoded !== undefined) setOwn(copy, key, encoded);
    }
    return copy ?? value;
  }

  /** The same as the class's own `toJSON`, without its copy of every field. */
  #coreInstance(core: CoreClass, value: Fields, depth: number): Fields {
    const given = isFields(value.lc_kwargs) ? value.lc_kwargs : {};
    // Usually the kwargs are written as they are and need no copy.
    let kwargs: Fields | undefined = isPlain(given) ? undefined : {};
    for (const name of Object.keys(given)) {
      const field = kwargOf(value, given, name);
      const encoded =
        typeof field === "object" && field !== null
          ? this.#object(field, name, depth + 1, "kwargs")
          : this.#primitive(field, name, depth + 1, "kwargs");
      const wireName = core.wireName(name);
      if (kwargs === undefined) {
        if (encoded === given[name] && wireName === name) continue;
        kwargs = fieldsBefore(given, name);
      }
      if (encoded !== undefined) setOwn(kwargs, wireName, encoded);
    }
    const id = core.hasClassId(value) ? core.id : value.lc_id;
    return { lc: 1, type: "constructor", id, kwargs: kwargs ?? given };
  }

  /** The record that the `toJSON` of another LangChain class has made. */
  #langChainJson(json: Fields, depth: number): Fields {
    const { kwargs, ...head } = json;
    const record = this.#fields(head, depth, "data", true);
    if (isFields(kwargs)) record.kwargs = this.#fields(kwargs, depth, "wrapped kwargs", true);
    return record;
  }

  #callToJson(value: WithToJson, key: PathStep, depth: number): unknown {
    try {
      return value.toJSON(String(key));
    } catch (error) {
      const say = (place: string) => `toJSON threw at ${place}`;
      const path = this.#stepsTo(depth);
      throw new SerializationError("unserializable-value", say, path, { cause: error });
    }
  }

  #stepsTo(depth: number): PathStep[] {
    return this.#path.slice(1, depth + 1);
  }

  /** The depth at which an object on the path to `depth` first appears a second time. */
  #firstRepetition(depth: number): number {
    const path = this.#ancestors.slice(0, depth + 1);
    return path.findIndex((object, index) => path.indexOf(object) < index);
  }

  #checkDeep(value: object, depth: number): void {
    if (this.#ancestors.lastIndexOf(value, depth - 1) !== -1) {
      throw this.#cycleAt(this.#firstRepetition(depth));
    }
    if (depth >= DEPTH_MAX) throw this.#tooDeep(depth);
  }

  #tooDeep(depth: number): SerializationError {
    const say = (place: string) =>
      `a value is nested more than ${DEPTH_MAX} levels deep, which is too deep to be stored: ` +
      `${place}; store the parts under ids of their own`;
    return new SerializationError("unserializable-value", say, this.#stepsTo(depth));
  }

  #cycleAt(depth: number): SerializationError {
    const say = (place: string) =>
      `the value contains itself at ${place}; store an id in that place instead of the object`;
    return new SerializationError("cyclic-value", say, this.#stepsTo(depth));
  }
}

/** Whether a value may be left out once it is encoded. */
function isOmittable(value: object): boolean {
  if (Array.isArray(value) || isPlain(value)) return hasToJson(value);
  const core = isFields(value) ? coreClassOf(value) : undefined;
  if (isFields(value) && core?.writes(value)) return false;
  return hasToJson(value) || emptyKind(value) !== undefined;
}

/** Whether a value has a method `toJSON`. */
export function hasToJson(value: object): value is WithToJson {
  const { toJSON }: { toJSON?: unknown } = value;
  return typeof toJSON === "function";
}

/** Whether a value is written as its own fields. */
export function isPlain(value: object): value is Fields {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !hasToJson(value);
}

/** A copy of the fields of an object that come before the given one. */
function fieldsBefore(value: Fields, key: string): Fields {
  const before: Fields = {};
  for (const earlier of Object.keys(value)) {
    if (earlier === key) break;
    setOwn(before, earlier, value[earlier]);
  }
  return before;
}

/** Whether JSON writes the field: it is the object's own and enumerable. */
function hasField(value: Fields, key: string): boolean {
  return key in value && Object.prototype.propertyIsEnumerable.call(value, key);
}

/**
 * An object's encoded fields, escaped if a reader would take them for a record. Python's own
 * records are not escaped.
 */
function escaped(json: Fields, value: Fields): Fields {
  if (hasField(json, "lc")) {
    const isTaken = isRecord(json) || (isPythonRecord(json) && !isInert(value));
    if (isTaken) return records.escapedRecord(json);
  }
  return hasField(json, "lg_name") && json.lg_name === "Send" ? sendJson(json) : json;
}

/** A Send is stored as a plain object, of which LangGraph makes a task. */
function sendJson(json: Fields): Fields {
  const keys = Object.keys(json);
  if (!keys.includes("node") || !keys.includes("args")) return json;
  if (!keys.every((key) => SEND_KEYS.has(key))) return json;
  const { node, args, timeout } = json;
  const timed = keys.includes("timeout") && timeout !== records.UNDEFINED_RECORD;
  return timed ? { node, args, timeout } : { node, args };
}
