import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { anyKeptValue } from "../serde/arbitraries.js";

type Fields = Record<string, unknown>;

/** Few names, so that a changed key often exists already. */
const key = fc.constantFrom("a", "b", "c", "1", "0", "id", "content", "name", "node", "args");

const primitive = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -2, max: 2 }),
  fc.boolean(),
  fc.bigInt({ min: 0n, max: 2n }),
  fc.constantFrom(null, undefined, 0, -0, Number.NaN, 1.5, "Send", "x"),
);

function withoutPrototype(entries: readonly [string, unknown][]): Fields {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

function messageOf(kind: number, data: Fields): unknown {
  const content = typeof data.content === "string" ? data.content : "hello";
  const fields = { ...data, content, additional_kwargs: { more: data.b } };
  const call = { type: "tool_call" as const, id: "c1", name: "find", args: { q: data.a } };
  switch (kind) {
    case 0:
      return new HumanMessage({ ...fields, id: "h" });
    case 1:
      return new AIMessage({ ...fields, id: "i", tool_calls: [call], invalid_tool_calls: [] });
    case 2:
      return new ToolMessage({ ...fields, id: "t", tool_call_id: "c1", artifact: data.c });
    default:
      return new SystemMessage({ content: [{ type: "text", text: content }] });
  }
}

/** Values of the kinds that a fingerprint proves. */
export const provableValue = fc.letrec<{ node: unknown }>((tie) => {
  const entries = fc.array(fc.tuple(key, tie("node")), { maxLength: 5 });
  const fields = entries.map((list): Fields => Object.fromEntries(list));
  return {
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      primitive,
      fc.array(tie("node"), { maxLength: 4 }),
      fields,
      entries.map(withoutPrototype),
      fields.map((data) => ({ lg_name: "Send", ...data })),
      fc.tuple(fc.nat({ max: 3 }), fields).map(([kind, data]) => messageOf(kind, data)),
    ),
  };
}).node;

/** A copy that shares nothing with other runs, so that it can be changed in place. */
function ownCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ownCopy);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, ownCopy(item)]));
}

/** Every kind of value that can be written, to be changed in place. */
export const changeableValue = anyKeptValue.map(ownCopy);

/** Values that a fingerprint proves, mixed with some of every other kind. */
export const trackedValue = fc.oneof(
  { weight: 3, arbitrary: provableValue },
  { weight: 1, arbitrary: fc.tuple(provableValue, changeableValue).map((pair) => [...pair]) },
);

/** A change to one object of a value. Some change nothing. */
type Mutation = (target: Fields, name: string, value: unknown) => void;

function define(target: Fields, name: string, attributes: PropertyDescriptor): void {
  Object.defineProperty(target, name, { configurable: true, ...attributes });
}

function hidden(name: string): Mutation {
  return (target, _, value) => define(target, name, { value, enumerable: false });
}

function prototyped(prototype: object | null): Mutation {
  return (target) => Object.setPrototypeOf(target, prototype);
}

function onArray(change: (items: unknown[], value: unknown) => void): Mutation {
  return (target, _, value) => {
    if (Array.isArray(target)) change(target, value);
  };
}

/** A change of the object in a field of an object. */
function inside(field: string, change: Mutation): Mutation {
  return (target, name, value) => {
    const nested = target[field];
    if (typeof nested === "object" && nested !== null) change(nested as Fields, name, value);
  };
}

const assign: Mutation = (target, name, value) => {
  target[name] = value;
};

const assignFirst: Mutation = (target, _, value) => {
  const name = Object.keys(target)[0];
  if (name !== undefined) target[name] = value;
};

const remove: Mutation = (target, name) => {
  delete target[name];
};

const reorder: Mutation = (target) => {
  const name = Object.keys(target)[0];
  if (name === undefined) return;
  const value = target[name];
  delete target[name];
  target[name] = value;
};

const MUTATIONS: readonly Mutation[] = [
  () => {},
  assign,
  assignFirst,
  remove,
  reorder,
  (target, name) => assign(target, name, target[name]),
  (target, name, value) => define(target, name, { get: () => value, enumerable: true }),
  (target, name) => define(target, name, { value: target[name], enumerable: false }),
  (target, _, value) => assign(target, "lc", value),
  (target) => Object.assign(target, { lc: 2, type: "undefined" }),
  (target) => assign(target, "lg_name", "Send"),
  (target, _, value) => assign(target, "toJSON", () => value),
  (target, _, value) => define(target, "toJSON", { value: () => value, enumerable: false }),
  hidden("lc"),
  hidden("lg_name"),
  hidden("__lc_escaped__"),
  prototyped(null),
  prototyped(Object.prototype),
  prototyped(Array.prototype),
  prototyped(HumanMessage.prototype),
  prototyped(AIMessage.prototype),
  prototyped(Map.prototype),
  prototyped({ inherited: 1 }),
  prototyped({ toJSON: () => 1 }),
  onArray((items, value) => items.push(value)),
  onArray((items, value) => items.splice(0, 1, value)),
  onArray((items) => items.reverse()),
  onArray((items) => {
    items.length = Math.max(0, items.length - 1);
  }),
  onArray((items) => delete items[0]),
  (target) => Object.freeze(target),
  inside("lc_kwargs", assign),
  inside("lc_kwargs", assignFirst),
  inside("lc_kwargs", remove),
  inside("lc_kwargs", reorder),
  inside("lc_kwargs", prototyped({ toJSON: () => 1 })),
  inside("lc_namespace", (target) => Array.prototype.push.call(target, "more")),
  inside("lc_namespace", (target) => assign(target, "1", "prompts")),
  (target) => assign(target, "lc_serializable", false),
  (target) => define(target, "lc_id", { value: ["elsewhere"] }),
  (target) => define(target, "constructor", { value: SystemMessage }),
  (target) => define(target, "lc_aliases", { value: { content: "other" } }),
];

function objectsIn(value: unknown, found: Fields[]): Fields[] {
  if (typeof value !== "object" || value === null || found.length > 100) return found;
  const fields = value as Fields;
  if (found.includes(fields)) return found;
  found.push(fields);
  for (const name of Object.keys(fields)) objectsIn(fields[name], found);
  return found;
}

/** A change of a value. `apply` makes it in place. */
export const mutation = fc
  .record({
    place: fc.nat(),
    kind: fc.constantFrom(...MUTATIONS),
    name: key,
    value: fc.oneof(primitive, provableValue),
  })
  .map(({ place, kind, name, value }) => ({
    apply(root: unknown): void {
      const objects = objectsIn(root, []);
      const target = objects[place % objects.length];
      try {
        if (target !== undefined) kind(target, name, value);
      } catch (error) {
        // A frozen object refuses changes, and a typed array refuses values of other types.
        if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
      }
    },
  }));
