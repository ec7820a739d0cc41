/**
 * Shapes: what a snapshot remembers of an object besides the values of its fields. Objects of one
 * shape share one `Shape`, found by walking a tree of keys, so that remembering an object copies
 * no keys, and the text of each key is written once.
 */
import type { CoreClass } from "./classes.js";

/** The prototype and the keys of an object, in order; of a message, the keys of its kwargs. */
export class Shape {
  readonly prototype: object | null;
  readonly core: CoreClass | undefined;
  readonly keys: readonly string[];
  #fieldNames: readonly string[] | undefined;

  constructor(prototype: object | null, core: CoreClass | undefined, keys: readonly string[]) {
    this.prototype = prototype;
    this.core = core;
    this.keys = keys;
  }

  /** The names that reading gives the fields which writing found under these keys. */
  get fieldNames(): readonly string[] {
    const { core, keys } = this;
    this.#fieldNames ??= core === undefined ? keys : keys.map((key) => core.nameOnceRead(key));
    return this.#fieldNames;
  }
}

/** Stands for every array; its length follows it. */
export const LIST = new Shape(Array.prototype, undefined, []);

/** Stands for an array of numbers, which follow it as one slot. */
export const NUMBERS = new Shape(Array.prototype, undefined, []);

/** Bounds the tree, as each object that is used as a dictionary has a shape of its own. */
const NODES_MAX = 4096;

/** About what a node and its part of a shape take. */
const NODE_BYTES = 200;

/** Where the objects stand whose keys begin alike. */
export interface ShapeNode {
  readonly parent: ShapeNode | undefined;
  readonly key: string;
  /**
   * What is written before the value of the key: a comma but at the first one, its name, a colon.
   * Undefined where a key before it is written under the same name.
   */
  readonly prefix: string | undefined;
  readonly prototype: object | null;
  readonly core: CoreClass | undefined;
  shape: Shape | undefined;
  /** The key that came next last, as most objects of one beginning go on alike. */
  nextKey: string | undefined;
  next: ShapeNode | undefined;
  others: Map<string, ShapeNode> | undefined;
}

/** The shapes met, as many as the bound allows; past it, all are forgotten and met anew. */
export class ShapeTree {
  readonly #roots = new Map<object | null, ShapeNode>();
  #nodeCount = 0;
  #bytesMade = 0;

  /** An estimate of the memory that all shapes so far have taken; it only grows. */
  get bytesMade(): number {
    return this.#bytesMade;
  }

  /** Where an object stands before its first key. */
  root(prototype: object | null, core: CoreClass | undefined): ShapeNode {
    const known = this.#roots.get(prototype);
    if (known !== undefined) return known;
    const node = this.#node(undefined, "", prototype, core);
    this.#roots.set(prototype, node);
    return node;
  }

  /** Where an object stands after one key more. */
  after(node: ShapeNode, key: string): ShapeNode {
    return node.nextKey === key && node.next !== undefined
      ? node.next
      : this.#afterOther(node, key);
  }

  /** The shape of the objects that have no key more. */
  shapeAt(node: ShapeNode): Shape {
    if (node.shape !== undefined) return node.shape;
    const keys: string[] = [];
    for (let at = node; at.parent !== undefined; at = at.parent) keys.push(at.key);
    const shape = new Shape(node.prototype, node.core, keys.reverse());
    node.shape = shape;
    return shape;
  }

  #afterOther(node: ShapeNode, key: string): ShapeNode {
    node.others ??= new Map();
    let next = node.others.get(key);
    if (next === undefined) {
      next = this.#node(node, key, node.prototype, node.core);
      node.others.set(key, next);
    }
    node.nextKey = key;
    node.next = next;
    return next;
  }

  #node(
    parent: ShapeNode | undefined,
    key: string,
    prototype: object | null,
    core: CoreClass | undefined,
  ): ShapeNode {
    if (this.#nodeCount >= NODES_MAX) {
      this.#roots.clear();
      this.#nodeCount = 0;
    }
    this.#nodeCount += 1;
    this.#bytesMade += NODE_BYTES;
    const none = undefined;
    return {
      parent,
      key,
      prefix: prefixOf(parent, key, core),
      prototype,
      core,
      shape: none,
      nextKey: none,
      next: none,
      others: none,
    };
  }
}

function prefixOf(
  parent: ShapeNode | undefined,
  key: string,
  core: CoreClass | undefined,
): string | undefined {
  if (parent === undefined) return undefined;
  const name = core?.wireName(key) ?? key;
  for (let at = parent; core !== undefined && at.parent !== undefined; at = at.parent) {
    if (core.wireName(at.key) === name) return undefined;
  }
  return `${parent.parent === undefined ? "" : ","}${JSON.stringify(name)}:`;
}
