/**
 * The closed set of LangChain classes that stored data may become: the messages, prompt values and
 * prompts of the application's own @langchain/core. Chains, models, parsers and tracers are left
 * out on purpose: their constructors take configuration, which stored data must not choose.
 */
import { get_lc_unique_name, Serializable } from "@langchain/core/load/serializable";
import * as messages from "@langchain/core/messages";
import * as toolMessages from "@langchain/core/messages/tool";
import * as promptValues from "@langchain/core/prompt_values";
import * as prompts from "@langchain/core/prompts";
import { type Fields, isFields, setOwn } from "./records.js";

type SerializableClass = typeof Serializable;

const ROOT_NAMESPACE = "langchain_core";

/** The namespace of every message's id. */
const MESSAGES_NAMESPACE = [ROOT_NAMESPACE, "messages"] as const;

/** Longer ids name no class. The bound makes a hostile id cheap to refuse. */
const ID_LENGTH_MAX = 16;

/** The bound of the names that a class remembers, in case they are hostile. */
const NAMES_KEPT_MAX = 256;

/**
 * Field names that a class accepts in their spelling on the wire, without declaring it in its
 * aliases. Without this table, reading would rename the field to camel case, and a chunk would lose
 * it.
 */
const UNDECLARED_ALIASES: Readonly<Record<string, readonly string[]>> = {
  ToolMessageChunk: ["tool_call_id"],
};

/** For a class of another copy of @langchain/core. */
interface Copy {
  /** The same class in this copy, which stored instances become. */
  readonly own: CoreClass;
  readonly toJson: () => unknown;
}

/** A class of @langchain/core, with the names of its fields in code and on the wire. */
export class CoreClass {
  /** The id of a message of this class on the wire. */
  readonly id: readonly string[];
  /** The text of a message with its class's id, up to its kwargs. */
  readonly prefix: string;
  readonly #class: SerializableClass;
  readonly #isMessage: boolean;
  readonly #own: CoreClass;
  readonly #toJson: () => unknown;
  readonly #fieldNames = new Map<string, string>();
  readonly #wireNames = new Map<string, string>();

  /** @param copy For a message class of another copy of the package. */
  constructor(name: string, serializable: SerializableClass, copy?: Copy) {
    this.#class = serializable;
    this.#own = copy?.own ?? this;
    this.#toJson = copy?.toJson ?? Serializable.prototype.toJSON;
    // Not frozen, as JSON.stringify is slower at frozen arrays.
    this.id = [...MESSAGES_NAMESPACE, get_lc_unique_name(serializable)];
    const head = JSON.stringify({ lc: 1, type: "constructor", id: this.id });
    this.prefix = `${head.slice(0, -1)},"kwargs":{`;
    this.#isMessage =
      copy !== undefined || isAncestor(messages.BaseMessage.prototype, serializable.prototype);
    for (const [field, wireName] of declaredAliases(serializable)) {
      this.#fieldNames.set(wireName, field);
    }
    for (const field of UNDECLARED_ALIASES[name] ?? []) this.#fieldNames.set(field, field);
  }

  /**
   * Whether an instance can be written from its kwargs, without calling its `toJSON`, which copies
   * them.
   */
  writes(value: Fields): boolean {
    return this.#kwargsOf(value) !== undefined;
  }

  /** Whether a message has the id of its class, as it does unless someone changed it. */
  hasClassId(value: Fields): boolean {
    const namespace = value.lc_namespace;
    return (
      Array.isArray(namespace) &&
      namespace.length === MESSAGES_NAMESPACE.length &&
      namespace[0] === MESSAGES_NAMESPACE[0] &&
      namespace[1] === MESSAGES_NAMESPACE[1] &&
      value.constructor === this.#class &&
      !Object.hasOwn(value, "lc_id")
    );
  }

  /**
   * The kwargs of an instance that has its class's id and can be written without calling its
   * `toJSON`; undefined for others.
   */
  plainKwargsOf(value: Fields): Fields | undefined {
    return this.hasClassId(value) ? this.#kwargsOf(value) : undefined;
  }

  /** The kwargs of a message that does not override `toJSON`; undefined for others. */
  #kwargsOf(value: Fields): Fields | undefined {
    if (!this.#isMessage || value.lc_serializable !== true) return undefined;
    if (value.toJSON !== this.#toJson) return undefined;
    const kwargs = value.lc_kwargs;
    return isFields(kwargs) ? kwargs : undefined;
  }

  /** The name of a field on the wire, found by the class's own `toJSON`. */
  wireName(field: string): string {
    const known = this.#wireNames.get(field);
    if (known !== undefined) return known;
    const sample: Serializable = Object.create(this.#class.prototype, {
      [field]: { value: null },
      lc_kwargs: { value: { [field]: null } },
      lc_serializable: { value: true },
      lc_id: { value: this.id },
    });
    const written = this.#toJson.call(sample);
    const kwargs = isFields(written) && isFields(written.kwargs) ? written.kwargs : {};
    const wireName = Object.keys(kwargs)[0] ?? field;
    if (this.#wireNames.size < NAMES_KEPT_MAX) this.#wireNames.set(field, wireName);
    return wireName;
  }

  /** The name that a field has after it was written and read again. */
  nameOnceRead(field: string): string {
    return this.#own.#fieldName(this.wireName(field));
  }

  /** The constructor's fields, from kwargs on the wire whose values have been read. */
  fieldsOf(kwargs: Fields): Fields {
    const fields: Fields = {};
    for (const wireName of Object.keys(kwargs)) {
      const value = kwargs[wireName];
      // An undefined field would hide a prompt's default. A message treats it like a missing one,
      // but keeps it, and so is written again as it was.
      if (value !== undefined || this.#isMessage) setOwn(fields, this.#fieldName(wireName), value);
    }
    return fields;
  }

  /** Makes an instance, which takes over `fields`. Throws what the class's constructor throws. */
  instanceOf(fields: Fields): Serializable {
    return Reflect.construct(this.#own.#class, [fields]);
  }

  #fieldName(wireName: string): string {
    const known = this.#fieldNames.get(wireName);
    if (known !== undefined) return known;
    const field = camelCase(wireName);
    if (this.#fieldNames.size < NAMES_KEPT_MAX) this.#fieldNames.set(wireName, field);
    return field;
  }
}

function isAncestor(ancestor: object, descendant: unknown): boolean {
  return isFields(descendant) && Object.prototype.isPrototypeOf.call(ancestor, descendant);
}

function* declaredAliases(serializable: SerializableClass): Iterable<[string, string]> {
  for (
    let prototype: unknown = serializable.prototype;
    isFields(prototype);
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const aliases = prototype.lc_aliases;
    if (!isFields(aliases)) continue;
    for (const [field, wireName] of Object.entries(aliases)) {
      if (typeof wireName === "string") yield [field, wireName];
    }
  }
}

/** Converts a wire name to camel case, as LangChain's loader does. */
function camelCase(wireName: string): string {
  const trimmed = wireName.trim();
  if (!/[-_\s]/.test(trimmed)) return trimmed;
  const [first = "", ...rest] = trimmed
    .replace(/[-_\s]+/g, "_")
    .toLowerCase()
    .split("_");
  return rest.reduce((joined, word) => {
    const initial = word.charAt(0);
    if (!/[a-z0-9]/.test(initial)) return `${joined}_${word}`;
    return joined + initial.toUpperCase() + word.slice(1);
  }, first);
}

function isSerializableClass(value: unknown): value is SerializableClass {
  return typeof value === "function" && isAncestor(Serializable.prototype, value.prototype);
}

const byPrototype = new Map<unknown, CoreClass>();
const byModule = new Map<string, ReadonlyMap<string, CoreClass>>();

function addModule(moduleName: string, exported: object): void {
  const byName = new Map<string, CoreClass>();
  for (const [exportName, value] of Object.entries(exported)) {
    if (!isSerializableClass(value)) continue;
    const known = byPrototype.get(value.prototype) ?? new CoreClass(exportName, value);
    byPrototype.set(value.prototype, known);
    const uniqueName = get_lc_unique_name(value);
    if (!byName.has(uniqueName)) byName.set(uniqueName, known);
    byName.set(exportName, known);
  }
  byModule.set(moduleName, byName);
}

addModule("messages", messages);
addModule("messages__tool", toolMessages);
addModule("prompt_values", promptValues);
addModule("prompts", prompts);

/**
 * The value of a kwarg when a message is written: its own field if it has one, else what it was
 * constructed with.
 */
export function kwargOf(value: Fields, kwargs: Fields, key: string): unknown {
  const field = value[key];
  return field !== undefined || key in value ? field : kwargs[key];
}

/** The class of a direct instance; undefined for an instance of a subclass. */
export function coreClassOf(value: object): CoreClass | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  const known = byPrototype.get(prototype);
  if (known !== undefined || !isFields(value) || !isFields(prototype)) return known;
  return Reflect.get(value, MESSAGE) === true ? copiedClassOf(value, prototype) : undefined;
}

/** The mark that messages of every copy of @langchain/core have. */
const MESSAGE = Symbol.for("langchain.message");

/** The classes of other copies by prototype. `"other"`: not a class of a copy. */
const copied = new WeakMap<object, CoreClass | "other">();

/** The class of a message of another copy, found by the name that it is written with. */
function copiedClassOf(value: Fields, prototype: Fields): CoreClass | undefined {
  let known = copied.get(prototype);
  if (known === undefined) {
    known = copiedClass(value, prototype) ?? "other";
    copied.set(prototype, known);
  }
  return known === "other" ? undefined : known;
}

function copiedClass(value: Fields, prototype: Fields): CoreClass | undefined {
  const root = rootOf(prototype);
  // A subclass in this copy writes itself.
  if (Object.is(root, Serializable.prototype)) return undefined;
  if (typeof prototype.constructor !== "function") return undefined;
  if (!Object.hasOwn(root, "toJSONNotImplemented") || typeof root.toJSON !== "function") {
    return undefined;
  }
  if (value.lc_attributes !== undefined || value.lc_secrets !== undefined) return undefined;
  const serializable = prototype.constructor as unknown as SerializableClass;
  const name = get_lc_unique_name(serializable);
  const own = byModule.get("messages")?.get(name);
  return own && new CoreClass(name, serializable, { own, toJson: root.toJSON as Copy["toJson"] });
}

/** The prototype that all of LangChain's classes share: the last one before `Object.prototype`. */
function rootOf(prototype: Fields): Fields {
  const next: unknown = Object.getPrototypeOf(prototype);
  const last = !isFields(next) || Object.getPrototypeOf(next) === null;
  return last ? prototype : rootOf(next);
}

/** The class that the id of an `lc: 1` record names; undefined if it is not of the closed set. */
export function coreClassNamed(id: unknown): CoreClass | undefined {
  if (!Array.isArray(id) || id[0] !== ROOT_NAMESPACE || id.length > ID_LENGTH_MAX) return undefined;
  // Data may look like an id up to here, and its other elements be anything.
  if (!id.every((name) => typeof name === "string")) return undefined;
  // An id may name a file inside a module, as Python's do. Then the nearest module counts.
  for (let end = id.length - 1; end > 1; end -= 1) {
    const byName = byModule.get(id.slice(1, end).join("__"));
    if (byName !== undefined) return byName.get(id[id.length - 1] ?? "");
  }
  return undefined;
}
