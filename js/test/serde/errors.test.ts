import { HumanMessage } from "@langchain/core/messages";
import { describe, expect, it } from "vitest";
import { SerializationError } from "../../src/serde/errors.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { text } from "./arbitraries.js";

const serde = new JsonPlusSerde();

function errorOf(action: () => unknown): SerializationError {
  try {
    action();
  } catch (error) {
    if (error instanceof SerializationError) return error;
    throw error;
  }
  return expect.unreachable("no error was thrown");
}

type Node = Record<string, unknown>;

describe("a cycle", () => {
  const object: Node = { a: 1 };
  object.self = object;
  const list: unknown[] = [];
  list.push({ list });
  const map = new Map<string, unknown>();
  map.set("k", { map });
  const message = new HumanMessage({ content: "x", additional_kwargs: {} });
  message.additional_kwargs.owner = message;
  const metadata: Node = {};
  metadata.self = metadata;
  class Child {
    parent?: unknown;
    toJSON(): unknown {
      return { up: this.parent };
    }
  }
  const child = new Child();
  child.parent = { child };
  let deep: Node = {};
  const bottom = deep;
  for (let depth = 0; depth < 60; depth += 1) deep = { d: deep };
  bottom.top = deep;
  class Note extends HumanMessage {
    static override lc_name(): string {
      return "Note";
    }
  }
  const note = new Note({ content: "x", additional_kwargs: { metadata } });

  it.each<[string, unknown, string]>([
    ["an object", object, "self"],
    ["an array", list, "[0].list"],
    ["a value of a Map", { map }, "map[0][1].map"],
    ["a toJSON", child, "up.child"],
    ["a message", [message], "[0].additional_kwargs.owner"],
    ["a message's metadata", { messages: [1, 2, 3, { metadata }] }, "messages[3].metadata.self"],
    ["a message of a subclass", { note }, "note.additional_kwargs.metadata.self"],
    ["a key that is no name", { "a b": { "0": object } }, '["a b"]["0"].self'],
  ])("through %s throws an error that names the place", (_, value, path) => {
    const error = errorOf(() => serde.dumps(value));
    expect(error.code).toBe("cyclic-value");
    expect(error.path).toBe(path);
    expect(error.message).toContain(path);
  });

  it("deeper than the check begins throws too", () => {
    const error = errorOf(() => serde.dumps(deep));
    expect([error.code, error.path]).toEqual(["cyclic-value", `d${".d".repeat(39)}...`]);
  });

  it("rejects the promise of the asynchronous method", async () => {
    await expect(serde.dumpsTyped(object)).rejects.toMatchObject({ code: "cyclic-value" });
  });

  it("leaves the value and the serializer usable", () => {
    errorOf(() => serde.dumps(object));
    expect(Object.keys(object)).toEqual(["a", "self"]);
    expect(text(serde.dumps({ a: 1 })[1])).toBe('{"a":1}');
  });
});

describe("a function or symbol", () => {
  const value = {
    keep: 1,
    run: () => 1,
    tag: Symbol("s"),
    list: [() => 1, 2, Symbol("t")],
    [Symbol("key")]: 1,
  };

  it("inside a value is left out as JSON leaves it out", () => {
    const quiet = new JsonPlusSerde({ onWarning: () => {} });
    expect(text(quiet.dumps(value)[1])).toBe(JSON.stringify(value));
    expect(text(quiet.dumps(value)[1])).toBe('{"keep":1,"list":[null,2,null]}');
  });

  it("is told once for each place, by its path", () => {
    const warnings: string[] = [];
    const noisy = new JsonPlusSerde({ onWarning: (message) => warnings.push(message) });
    noisy.dumps(value);
    noisy.dumps(value);
    noisy.dumps({ messages: [new HumanMessage({ content: "x", additional_kwargs: { f() {} } })] });
    expect(warnings).toEqual([
      "a function cannot be stored and is left out: run",
      "a symbol cannot be stored and is left out: tag",
      "a function cannot be stored and is left out: list[0]",
      "a symbol cannot be stored and is left out: list[2]",
      "a function cannot be stored and is left out: messages[0].additional_kwargs.f",
    ]);
  });

  it("is told as a process warning by default", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    new JsonPlusSerde().dumps({ run: () => 1 });
    await expect(warned).resolves.toMatchObject({
      name: "SerializationWarning",
      message: "a function cannot be stored and is left out: run",
    });
  });

  it("throws with strict", () => {
    const strict = new JsonPlusSerde({ strict: true });
    const error = errorOf(() => strict.dumps({ a: [{ run: () => 1 }] }));
    expect([error.code, error.path]).toEqual(["unserializable-value", "a[0].run"]);
    expect(text(strict.dumps({ a: [1] })[1])).toBe('{"a":[1]}');
  });

  it.each<[string, unknown]>([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a toJSON that returns a function", { toJSON: () => () => 1 }],
  ])("alone always throws: %s", (_, alone) => {
    const error = errorOf(() => new JsonPlusSerde({ onWarning: () => {} }).dumps(alone));
    expect([error.code, error.path]).toEqual(["unserializable-value", ""]);
  });

  it("a function with a toJSON is what that returns", () => {
    const named = Object.assign(() => 1, { toJSON: () => "named" });
    expect(text(serde.dumps([named])[1])).toBe('["named"]');
  });
});

describe("a value that cannot be written", () => {
  it("an error thrown by toJSON is the cause of a typed one that names the place", () => {
    const cause = new Error("mine");
    const thrower = {
      toJSON() {
        throw cause;
      },
    };
    const error = errorOf(() => serde.dumps({ a: [thrower] }));
    expect([error.code, error.path]).toEqual(["unserializable-value", "a[0]"]);
    expect(error.cause).toBe(cause);
  });

  it("an error thrown by a getter is the cause of a typed one", () => {
    const cause = new Error("mine");
    const thrower = {
      get a(): never {
        throw cause;
      },
    };
    const error = errorOf(() => serde.dumps([thrower]));
    expect([error.code, error.cause]).toEqual(["unserializable-value", cause]);
  });

  it("nesting without an end throws a typed error", () => {
    class Endless {
      toJSON(): unknown {
        return { next: new Endless() };
      }
    }
    expect(errorOf(() => serde.dumps(new Endless())).code).toBe("unserializable-value");
  });
});

describe("bytes that cannot be read", () => {
  it.each<[string, Uint8Array | string]>([
    ["no bytes", new Uint8Array()],
    ["text that is no JSON", "hunter2 is no JSON"],
    ["JSON cut short", '{"password":"hunter2'],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
  ])("%s throw a typed error that quotes none of them", async (_, data) => {
    const error = errorOf(() => serde.loads("json", data));
    expect(error.code).toBe("unreadable-value");
    expect(error.message).not.toContain("hunter2");
    expect(error.cause).toBeUndefined();
    await expect(serde.loadsTyped("json", data)).rejects.toMatchObject({ code: error.code });
  });

  it("an unknown type throws a typed error", () => {
    const error = errorOf(() => serde.loads("pickle", new Uint8Array([1])));
    expect(error.code).toBe("unknown-serialization-type");
  });
});

describe("nesting", () => {
  class Link {
    constructor(readonly next: unknown) {}
  }
  const kinds: [string, (inner: unknown) => unknown, (outer: unknown) => unknown][] = [
    ["lists", (inner) => [inner], (outer) => Object(outer)[0]],
    ["maps", (inner) => ({ d: inner }), (outer) => Object(outer).d],
    ["maps with a Date", (inner) => ({ at: new Date(5), d: inner }), (outer) => Object(outer).d],
    ["instances of a class", (inner) => new Link(inner), (outer) => Object(outer).next],
    [
      "Maps",
      (inner) => new Map([["k", inner]]),
      (outer) => (outer as Map<unknown, unknown>).get("k"),
    ],
    ["Sets", (inner) => new Set([inner]), (outer) => [...(outer as Set<unknown>)][0]],
    [
      "messages",
      (inner) => new HumanMessage({ content: "x", additional_kwargs: { inner } }),
      (outer) => (outer as HumanMessage).additional_kwargs.inner,
    ],
    [
      "look-alikes of records",
      (inner) => ({ args: { deep: { inner } }, lc: 2, type: "undefined", more: [[[[inner, 1]]]] }),
      (outer) => Object(outer).more[0][0][0][0],
    ],
  ];

  it.each(kinds)("is written and read where it is deep: of %s", (name, wrap, unwrap) => {
    // This kind doubles in size with every level, so it is not made deep.
    const levels = name === "look-alikes of records" ? 8 : 3_900;
    for (const count of [levels, Math.min(levels, 256), Math.min(levels, 257)]) {
      let value: unknown = [1n, { __proto__: null, lc: 2, type: "undefined" }];
      for (let level = 0; level < count; level += 1) value = wrap(value);
      for (const whole of [value, [0, value, [value]], { a: value, b: { value } }]) {
        const read = serde.loads(...serde.dumps(whole));
        let inner: unknown = Array.isArray(whole) && whole[0] === 0 ? Object(read)[2][0] : read;
        if (!Array.isArray(whole) && Object.hasOwn(Object(whole), "b"))
          inner = Object(read).b.value;
        for (let level = 0; level < count; level += 1) inner = unwrap(inner);
        expect(inner).toEqual([1n, { lc: 2, type: "undefined" }]);
      }
    }
  });

  it("that JSON.stringify can follow is written in its bytes", () => {
    let value: unknown = 'a "text"';
    for (let level = 0; level < 1_000; level += 1)
      value = level % 3 ? { d: value, e: [level] } : [value, value === null];
    expect(text(serde.dumps(value)[1])).toBe(JSON.stringify(value));
    expect(serde.dumpsElement("list", 0, value)).toBe(JSON.stringify(value));
    expect(serde.dumpsElement("map", "k", value)).toBe(`"k":${JSON.stringify(value)}`);
  });

  it("of look-alikes of records deep inside is escaped as it is elsewhere", () => {
    const lookalikes = [
      { args: [[[["k", { deep: [[[1]]] }]]]], lc: 2, type: "constructor", id: ["Map"] },
      { value: [["a", { deep: [[[1]]] }]], lc: 2, type: "escaped" },
      {
        lc: 1,
        type: "constructor",
        id: ["langchain_core", "messages", "AIMessage"],
        kwargs: { content: { a: [1] } },
      },
      { toJSON: () => ({ lc: 2, type: "constructor", id: ["Set"], args: [[[1, [2]]]] }) },
    ];
    const plain = [
      ...lookalikes.slice(0, 3),
      { lc: 2, type: "constructor", id: ["Set"], args: [[[1, [2]]]] },
    ];
    for (let levels = 245; levels < 262; levels += 1) {
      let value: unknown = lookalikes;
      for (let level = 0; level < levels; level += 1) value = [value];
      let read = serde.loads(...serde.dumps(value));
      for (let level = 0; level < levels; level += 1) read = Object(read)[0];
      expect(read).toEqual(plain);
    }
  });

  it("deeper than ten thousand levels is refused, by its place", () => {
    const nested = (levels: number) => {
      let value: unknown = 1n;
      for (let level = 0; level < levels; level += 1) value = { d: value };
      return value;
    };
    expect(serde.dumps(nested(10_000))[0]).toBe("json");
    for (const value of [nested(10_001), [nested(10_000)], [nested(200_000)]]) {
      const error = errorOf(() => serde.dumps(value));
      expect(error.code).toBe("unserializable-value");
      expect(error.message).toMatch(/more than 10000 levels deep.* d\.d|\[0\]\.d\.d/);
      expect(error.path).toMatch(/d\.d\.d/);
    }
  });

  it("that LangGraph.js's own savers would not read is read", () => {
    const depth = 200_000;
    let read = serde.loads("json", "[".repeat(depth) + "]".repeat(depth));
    let levels = 0;
    for (; Array.isArray(read); [read] = read) levels += 1;
    expect(levels).toBe(depth);
  });

  it("of a cycle at any depth is named as a cycle", () => {
    const bottom: Record<string, unknown> = {};
    let value: Record<string, unknown> = bottom;
    for (let level = 0; level < 3_000; level += 1) value = { d: value };
    bottom.self = bottom;
    expect(errorOf(() => serde.dumps(value)).code).toBe("cyclic-value");
  });
});
