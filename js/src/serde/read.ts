/**
 * Turns parsed JSON into the value it represents, in place. Only the records of the closed set
 * become anything but JSON.
 */
import { type CoreClass, coreClassNamed } from "./classes.js";
import {
  type Fields,
  isFields,
  isWrapper,
  markInert,
  recordDecoder,
  WRAPPER_KEY,
} from "./records.js";

/**
 * Where a value is. Inside the kwargs of a LangChain class, LangChain itself wraps user data that
 * has an `lc` key.
 */
export type Place = "data" | "kwargs";

/** Reads a whole parsed document. Changes the argument, which must not be used again. */
export function readParsed(parsed: unknown): unknown {
  return new Reader().read(parsed);
}

/**
 * Whether a reader would take this JSON object for a record. User data like that has to be escaped.
 */
export function isRecord(json: Fields): boolean {
  if (json.lc === 2) return recordDecoder(json) !== undefined;
  return recordedClass(json) !== undefined;
}

/** The class of the instance that a JSON object represents; undefined if it is not one. */
export function recordedClass(json: Fields): CoreClass | undefined {
  if (json.lc !== 1 || json.type !== "constructor" || !isFields(json.kwargs)) return undefined;
  return coreClassNamed(json.id);
}

/** A record or wrapper, to be replaced once everything nested in it is read. */
interface Remade {
  readonly parent: Fields | unknown[];
  readonly key: string | number;
  readonly make: () => unknown;
}

const asRead = (nested: unknown) => nested;

/** Reads one document without recursion, as JSON may be nested deeper than calls may. */
class Reader {
  readonly #waiting: (Fields | unknown[])[] = [];
  readonly #places: Place[] = [];
  /** In the order in which they were met: a nested one comes after the one around it. */
  readonly #remade: Remade[] = [];

  read(document: unknown): unknown {
    const whole = [document];
    this.#later(whole, "data");
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      const place = this.#places.pop() ?? "data";
      if (Array.isArray(next)) this.#items(next, place);
      else for (const key of Object.keys(next)) this.#meet(next, key, next[key], place);
    }
    for (let last = this.#remade.pop(); last !== undefined; last = this.#remade.pop()) {
      // The key exists as an own property, so even `__proto__` is assigned and sets no prototype.
      Reflect.set(last.parent, last.key, last.make());
    }
    return whole[0];
  }

  #items(items: unknown[], place: Place): void {
    for (let index = 0; index < items.length; index += 1) {
      this.#meet(items, index, items[index], place);
    }
  }

  /** Visits the values in a list or object later. */
  #later(container: Fields | unknown[], place: Place): void {
    this.#waiting.push(container);
    this.#places.push(place);
  }

  #meet(parent: Fields | unknown[], key: string | number, value: unknown, place: Place): void {
    if (typeof value !== "object" || value === null) return;
    if (!isFields(value)) this.#later(value as unknown[], place);
    else if (place === "kwargs" && isWrapper(value)) this.#meetWrapper(parent, key, value);
    else if (value.lc === 2) this.#meetRecord(parent, key, value, place);
    else if (value.lc === 1) this.#meetInstance(parent, key, value, place);
    else this.#later(value, place);
  }

  /** Wrapped data is user data, even if it looks like a record. */
  #meetWrapper(parent: Fields | unknown[], key: string | number, wrapper: Fields): void {
    this.#remade.push({ parent, key, make: () => wrapper[WRAPPER_KEY] });
    const wrapped = wrapper[WRAPPER_KEY];
    if (isFields(wrapped)) this.#later(wrapped, "data");
    else this.#meet(wrapper, WRAPPER_KEY, wrapped, "data");
  }

  #meetRecord(
    parent: Fields | unknown[],
    key: string | number,
    record: Fields,
    place: Place,
  ): void {
    const decode = recordDecoder(record);
    if (decode === undefined) {
      this.#meetInert(record, place);
      return;
    }
    this.#remade.push({ parent, key, make: () => decode(asRead) });
    const nestedPlace = record.type === "escaped" ? "data" : place;
    if (record.type !== "constructor") this.#meet(record, "value", record.value, nestedPlace);
    else if (Array.isArray(record.args)) this.#later(record.args, nestedPlace);
  }

  #meetInstance(
    parent: Fields | unknown[],
    key: string | number,
    record: Fields,
    place: Place,
  ): void {
    const recorded = recordedClass(record);
    const { kwargs } = record;
    if (recorded === undefined || !isFields(kwargs)) {
      this.#meetInert(record, place);
      return;
    }
    this.#remade.push({ parent, key, make: () => instanceOf(recorded, kwargs) ?? record });
    this.#later(kwargs, "kwargs");
  }

  #meetInert(record: Fields, place: Place): void {
    markInert(record);
    this.#later(record, place);
  }
}

/** The instance; undefined if the class refuses its kwargs, so that the rest stays readable. */
function instanceOf(recorded: CoreClass, kwargs: Fields): unknown {
  try {
    return recorded.instanceOf(recorded.fieldsOf(kwargs));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}
