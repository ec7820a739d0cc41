/**
 * Values that are made many times from one text: it is parsed once, and each value made is of
 * objects of its own.
 */
import type { CoreClass } from "./classes.js";
import { type Place, recordedClass } from "./read.js";
import { type Fields, isFields, isWrapper, recordDecoder } from "./records.js";

/** Makes what reading the parsed text makes, as other objects each time. */
export interface Template {
  /** Throws where a class refuses its kwargs: reading knows what to do then. */
  make(): unknown;
}

/** Values are rarely nested deeper; those that are can be read. */
const DEPTH_MAX = 64;

/** In place of the template of a value that can only be read. */
const UNFIT: Template = { make: () => undefined };

/**
 * The template of what was parsed; undefined where there is anything in it but plain JSON,
 * LangChain's classes and primitives. The argument is changed and must not be used again.
 */
export function templateOf(parsed: object): Template | undefined {
  const template = prepare(parsed, "data", 0);
  return isTemplate(template) && template !== UNFIT ? template : undefined;
}

/** What is made of a value that is no primitive: nothing else is an object when prepared. */
function isTemplate(prepared: unknown): prepared is Template {
  return typeof prepared === "object" && prepared !== null;
}

/** A template, or the primitive that the value is each time. */
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

/** Prepares each field in its place. False where one of them is unfit. */
function prepareFields(fields: Fields, place: Place, depth: number): boolean {
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (typeof field !== "object" || field === null) continue;
    const prepared = prepare(field, place, depth + 1);
    if (prepared === UNFIT) return false;
    // The key is an own property, so even `__proto__` is assigned and sets no prototype.
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
 * Each copies an object. Engines copy quickly what looks like one of the few objects that they have
 * met before at that place in a program, so objects of different keys go to different places.
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
