/**
 * Makes a value many times from one text: the text is parsed once, and each value has objects of
 * its own.
 */
import type { CoreClass } from "./classes.js";
import { type Place, recordedClass } from "./read.js";
import { type Fields, isFields, isWrapper, recordDecoder } from "./records.js";

/** Makes the value of a parsed text, as new objects each time. */
export interface Template {
  /** Throws if a class refuses its kwargs; reading the text handles that case. */
  make(): unknown;
}

/** Values are rarely nested deeper. Those that are have to be read. */
const DEPTH_MAX = 64;

/** The template of a value that has to be read. */
const UNFIT: Template = { make: () => undefined };

/**
 * The template of a parsed text. Undefined if the text has anything but plain JSON, LangChain's
 * classes, and the records of primitives. Changes the argument, which must not be used again.
 */
export function templateOf(parsed: object): Template | undefined {
  const template = prepare(parsed, "data", 0);
  return isTemplate(template) && template !== UNFIT ? template : undefined;
}

/** Whether a prepared value is a template. Prepared values are templates or primitives. */
function isTemplate(prepared: unknown): prepared is Template {
  return typeof prepared === "object" && prepared !== null;
}

/** The template of a value, or the value itself if it is a primitive. */
function prepare(value: unknown, place: Place, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEPTH_MAX) return UNFIT;
  if (Array.isArray(value)) return prepareItems(value, place, depth);
  if (!isFields(value)) return UNFIT;
  if (value.lc === 2) return prepareRecord(value);
  if (value.lc === 1) return prepareInstance(value, depth);
  if (place === "kwargs" && isWrapper(value)) return UNFIT;
  return prepareFields(value, place, depth) ? new FieldsTemplate(value) : UNFIT;
}

function prepareItems(items: unknown[], place: Place, depth: number): Template {
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (typeof item !== "object" || item === null) continue;
    const prepared = prepare(item, place, depth + 1);
    if (prepared === UNFIT) return UNFIT;
    items[index] = prepared;
  }
  return new ListTemplate(items);
}

/** Prepares each field in place. False if one is unfit. */
function prepareFields(fields: Fields, place: Place, depth: number): boolean {
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (typeof field !== "object" || field === null) continue;
    const prepared = prepare(field, place, depth + 1);
    if (prepared === UNFIT) return false;
    // The key exists as an own property, so even `__proto__` is assigned and sets no prototype.
    fields[key] = prepared;
  }
  return true;
}

function prepareRecord(record: Fields): unknown {
  const { type } = record;
  if (type !== "undefined" && type !== "number" && type !== "bigint") return UNFIT;
  const decode = recordDecoder(record);
  return decode === undefined ? UNFIT : decode((nested) => nested);
}

function prepareInstance(record: Fields, depth: number): Template {
  const core = recordedClass(record);
  const { kwargs } = record;
  if (core === undefined || !isFields(kwargs)) return UNFIT;
  if (!prepareFields(kwargs, "kwargs", depth + 1)) return UNFIT;
  return new InstanceTemplate(core, new FieldsTemplate(core.fieldsOf(kwargs)));
}

/**
 * Copies of the same function. At each call site an engine copies only a few shapes of objects
 * quickly, so objects with different keys are spread over several sites. With one site, a list of
 * 200 supersteps takes 9 % longer.
 */
const COPIERS: readonly ((fields: Fields) => Fields)[] = [
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
  (fields) => ({ ...fields }),
];

function copierFor(keys: readonly string[]): (fields: Fields) => Fields {
  const lengths = keys.reduce((sum, key) => sum + key.length, keys.length);
  return COPIERS[lengths % COPIERS.length] ?? ((fields) => ({ ...fields }));
}

class ListTemplate implements Template {
  readonly #items: readonly unknown[];
  readonly #nested: { index: number; template: Template }[] = [];

  constructor(items: readonly unknown[]) {
    this.#items = items;
    for (const [index, template] of items.entries()) {
      if (isTemplate(template)) this.#nested.push({ index, template });
    }
  }

  make(): unknown[] {
    const items = this.#items.slice();
    for (const { index, template } of this.#nested) items[index] = template.make();
    return items;
  }
}

class FieldsTemplate implements Template {
  readonly #fields: Fields;
  readonly #copy: (fields: Fields) => Fields;
  readonly #nested: { key: string; template: Template }[] = [];

  constructor(fields: Fields) {
    const keys = Object.keys(fields);
    this.#fields = fields;
    this.#copy = copierFor(keys);
    for (const key of keys) {
      const template = fields[key];
      if (isTemplate(template)) this.#nested.push({ key, template });
    }
  }

  make(): Fields {
    const fields = this.#copy(this.#fields);
    for (const { key, template } of this.#nested) fields[key] = template.make();
    return fields;
  }
}

class InstanceTemplate implements Template {
  readonly #core: CoreClass;
  readonly #fields: FieldsTemplate;

  constructor(core: CoreClass, fields: FieldsTemplate) {
    this.#core = core;
    this.#fields = fields;
  }

  make(): unknown {
    return this.#core.instanceOf(this.#fields.make());
  }
}
