/**
 * Shapes: what a fingerprint remembers of an object besides the values of its fields. Objects with
 * the same keys share one `Shape`, which is found by walking a tree of keys. So remembering an
 * object copies no keys, and the text of each key is made once.
 */
import type { CoreClass } from "./classes.js";

/** The prototype and the keys of an object, in order. For a message: the keys of its kwargs. */
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

  /** The names that these keys have after the object was written and read again. */
  get fieldNames(): readonly string[] {
    const { core, keys } = this;
    this.#fieldNames ??= core === undefined ? keys : keys.map((key) => core.nameOnceRead(key));
    return this.#fieldNames;
  }
}

/** The shape of every array. Its length is the next slot. */
export const LIST = new Shape(Array.prototype, undefined, []);

/** The shape of an array of numbers, which are the next slot. */
export const NUMBERS = new Shape(Array.prototype, undefined, []);

/** The bound of the tree: each object that is used as a dictionary has a shape of its own. */
const NODES_MAX = 4096;

/** About the memory of a node and its share of a shape. */
const NODE_BYTES = 200;

/** A node of the tree: the objects whose keys begin with those on the path to it. */
export interface ShapeNode {
  readonly parent: ShapeNode | undefined;
  readonly key: string;
  /**
   * The text before the key's value: a comma unless it is the first key, its name, and a colon.
   * Undefined if an earlier key has the same name on the wire.
   */
  readonly prefix: string | undefined;
  readonly prototype: object | null;
  readonly core: CoreClass | undefined;
  shape: Shape | undefined;
  /** The key that followed most recently. Most objects that begin alike continue alike. */
  nextKey: string | undefined;
  next: ShapeNode | undefined;
  others: Map<string, ShapeNode> | undefined;
}

/** The tree of all shapes met. At the bound it is emptied and starts over. */
export class ShapeTree {
  readonly #roots = new Map<object | null, ShapeNode>();
  #nodeCount = 0;
  #bytesMade = 0;

  /** About how many bytes of memory all shapes so far have taken. It only grows. */
  get bytesMade(): number {
    return this.#bytesMade;
  }

  /** The node of objects without any keys yet. */
  root(prototype: object | null, core: CoreClass | undefined): ShapeNode {
    const known = this.#roots.get(prototype);
    if (known !== undefined) return known;
    const node = this.#node(undefined, "", prototype, core);
    this.#roots.set(prototype, node);
    return node;
  }

  /** The node after one more key. */
  after(node: ShapeNode, key: string): ShapeNode {
    return node.nextKey === key && node.next !== undefined
      ? node.next
      : this.#afterOther(node, key);
  }

  /** The shape of objects ending at this node. */
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
