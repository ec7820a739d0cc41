// Every error that a saver's method throws is this package's: it has a stable code, and the
// original error as its cause.

import { CheckpointerError, StorageSaver } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";

function open(serde?: ConstructorParameters<typeof StorageSaver>[1]): SqliteSaver {
  const saver = SqliteSaver.fromConnString(":memory:", { serde });
  onTestFinished(() => saver.close());
  return saver;
}

async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (thrown) {
    return thrown;
  }
  return expect.unreachable("nothing was thrown");
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments are none that the types allow.
type Odd = any;

const cause = new Error("mine");
const thrower = (): never => {
  throw cause;
};
const getter = (name: string): Odd =>
  Object.defineProperty({}, name, { get: thrower, enumerable: true });
const revoked = (): Odd => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const detached = (): Uint8Array => {
  const bytes = Uint8Array.from([1, 2, 3]);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
};
const put = (saver: SqliteSaver, value: unknown) =>
  saver.put(config("t"), checkpoint(2, { a: 1, value }), metadata(1), { a: 2, value: 2 });
const write = (saver: SqliteSaver, writes: Odd) =>
  saver.putWrites(config("t", idOf(1)), writes, "task");

const calls: [string, (saver: SqliteSaver) => unknown, string][] = [
  ["put of nothing", (saver) => Reflect.apply(saver.put, saver, []), "invalid-argument"],
  [
    "put of null",
    (saver) => saver.put(config("t"), null as Odd, metadata(1), {}),
    "invalid-argument",
  ],
  [
    "put with a null config",
    (saver) => saver.put(null as Odd, checkpoint(1), metadata(1)),
    "missing-thread-id",
  ],
  [
    "put with a throwing id",
    (saver) => saver.put(getter("configurable"), checkpoint(1), metadata(1)),
    "invalid-argument",
  ],
  [
    "put of a throwing channel",
    (saver) => saver.put(config("t"), checkpoint(1, getter("a"), {}), metadata(1)),
    "invalid-argument",
  ],
  [
    "put of a revoked proxy",
    (saver) => saver.put(config("t"), revoked(), metadata(1)),
    "invalid-argument",
  ],
  [
    "put of throwing versions",
    (saver) => saver.put(config("t"), checkpoint(1), metadata(1), getter("a")),
    "invalid-argument",
  ],
  [
    "put of a version that is a bigint",
    (saver) => saver.put(config("t"), checkpoint(1, {}, { a: 1n } as Odd), metadata(1)),
    "invalid-channel-version",
  ],
  [
    "put of throwing metadata",
    (saver) => saver.put(config("t"), checkpoint(1), getter("source")),
    "unserializable-value",
  ],
  ["put of a throwing getter", (saver) => put(saver, [getter("deep")]), "unserializable-value"],
  [
    "put of a value that is a revoked proxy",
    (saver) => put(saver, revoked()),
    "unserializable-value",
  ],
  ["put of a detached array", (saver) => put(saver, detached()), "unserializable-value"],
  [
    "put of a detached array in a list",
    (saver) => put(saver, [detached()]),
    "unserializable-value",
  ],
  [
    "put of a detached array's memory",
    (saver) => put(saver, { memory: detached().buffer }),
    "unserializable-value",
  ],
  [
    "put of values that are a promise",
    (saver) => {
      const values = { ...checkpoint(1), channel_values: Promise.resolve({ a: 1 }) };
      return saver.put(config("t"), values as Odd, metadata(1), {});
    },
    "invalid-argument",
  ],
  [
    "put of values that are text",
    (saver) => {
      return saver.put(config("t"), { ...checkpoint(1), channel_values: "x" } as Odd, metadata(1));
    },
    "invalid-argument",
  ],
  [
    "put of versions that are a list",
    (saver) => saver.put(config("t"), checkpoint(1), metadata(1), [1] as Odd),
    "invalid-argument",
  ],
  ["putWrites of null", (saver) => write(saver, null), "invalid-argument"],
  ["putWrites of a number", (saver) => write(saver, 5), "invalid-argument"],
  ["putWrites of a promise", (saver) => write(saver, Promise.resolve([])), "invalid-argument"],
  ["putWrites of text", (saver) => write(saver, ["ab"]), "invalid-argument"],
  ["putWrites of a null write", (saver) => write(saver, [null]), "invalid-argument"],
  ["putWrites of a bigint as a channel", (saver) => write(saver, [[1n, 1]]), "malformed-text"],
  [
    "putWrites of a symbol as a channel",
    (saver) => write(saver, [[Symbol("s"), 1]]),
    "malformed-text",
  ],
  [
    "putWrites of a throwing value",
    (saver) => write(saver, [["a", getter("b")]]),
    "unserializable-value",
  ],
  [
    "putWrites with a null config",
    (saver) => saver.putWrites(null as Odd, [], "task"),
    "missing-thread-id",
  ],
  [
    "putWrites with a bigint as a path",
    (saver) => saver.putWrites(config("t", idOf(1)), [["a", 1]], "task", 1n as Odd),
    "malformed-text",
  ],
  [
    "getTuple of a throwing config",
    (saver) => saver.getTuple(getter("configurable")),
    "invalid-argument",
  ],
  ["getTuple of a bigint", (saver) => saver.getTuple(config(1n)), "invalid-id"],
  [
    "list with a throwing filter",
    (saver) => all(saver.list(config("t"), { filter: getter("a") })),
    "invalid-argument",
  ],
  [
    "list with a symbol as its limit",
    (saver) => all(saver.list(config("t"), { limit: Symbol("s") as Odd })),
    "invalid-argument",
  ],
  [
    "list with text as its limit",
    (saver) => all(saver.list(config("t"), { limit: "1" as Odd })),
    "invalid-argument",
  ],
  [
    "list before a number",
    (saver) => all(saver.list(config("t"), { before: 5 as Odd })),
    "invalid-argument",
  ],
  [
    "list with a number as its filter",
    (saver) => all(saver.list(config("t"), { filter: 5 as Odd })),
    "invalid-argument",
  ],
  [
    "list with a cycle in its filter",
    (saver) => all(saver.list(config("t"), { filter: cycle() })),
    "cyclic-value",
  ],
  ["list of a revoked proxy", (saver) => all(saver.list(revoked())), "invalid-argument"],
  ["deleteThread of null", (saver) => saver.deleteThread(null as Odd), "missing-thread-id"],
  ["deleteThread of a symbol", (saver) => saver.deleteThread(Symbol("s") as Odd), "invalid-id"],
  [
    "getDeltaChannelHistory of null",
    (saver) => saver.getDeltaChannelHistory(null as Odd),
    "invalid-argument",
  ],
  [
    "getDeltaChannelHistory of null channels",
    (saver) => saver.getDeltaChannelHistory({ config: config("t"), channels: null as Odd }),
    "invalid-argument",
  ],
  [
    "getDeltaChannelHistory of a bigint",
    (saver) => saver.getDeltaChannelHistory({ config: config("t"), channels: [1n] as Odd }),
    "malformed-text",
  ],
];

function cycle(): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  object.self = object;
  return object;
}

test.each(calls)("%s_throws_a_typed_error_and_stores_nothing", async (_, call, code) => {
  const saver = open();
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  const before = await all(saver.list(config("t")));
  const thrown = await thrownBy(() => call(saver));
  expect(thrown).toBeInstanceOf(CheckpointerError);
  expect(thrown).toMatchObject({ code, name: expect.stringMatching(/Error$/) });
  expect(await all(saver.list(config("t")))).toEqual(before);
});

test("what_a_getter_throws_is_the_cause", async () => {
  const saver = open();
  for (const call of [
    () => saver.getTuple(getter("configurable")),
    () => put(saver, [getter("deep")]),
    () => write(saver, Object.defineProperty([], 0, { get: thrower })),
  ]) {
    expect(await thrownBy(call)).toMatchObject({ cause });
  }
});

test("what_an_adapter_throws_elsewhere_than_in_a_batch_has_a_code", async () => {
  const adapter = {
    name: "odd",
    run: () => [{ rows: [] }],
    get joined(): never {
      throw cause;
    },
  };
  const thrown = await thrownBy(() => new StorageSaver(adapter).getTuple(config("t")));
  expect(thrown).toBeInstanceOf(CheckpointerError);
  expect(thrown).toMatchObject({ code: "unexpected-failure", cause });
});

describe("a serializer that throws", () => {
  const json = new JsonPlusSerde();
  const thread = config("t");

  test.each([
    ["at_once", { dumpsTyped: thrower, loadsTyped: thrower }],
    ["later", { dumpsTyped: async () => thrower(), loadsTyped: async () => thrower() }],
  ])("%s_when_it_writes_is_the_cause_of_an_error_that_names_the_place", async (_, serde) => {
    const failed = { code: "serializer-failed", cause };
    const saver = open(serde as Odd);
    expect(await thrownBy(() => put(saver, 1))).toMatchObject({ ...failed, path: "checkpoint" });
    const written = await thrownBy(() => write(saver, [["a", 1]]));
    expect(written).toMatchObject({ ...failed, path: "a" });
    expect(written).toBeInstanceOf(CheckpointerError);
    const listed = () => all(saver.list(thread, { filter: { a: 1 } }));
    expect(await thrownBy(listed)).toMatchObject({ ...failed, path: "filter.a" });
  });

  test.each([
    ["at_once", thrower],
    ["later", async () => thrower()],
  ])("%s_when_it_reads_is_the_cause_of_a_typed_error", async (_, loadsTyped) => {
    const saver = open({
      dumpsTyped: (value: unknown) => json.dumpsTyped(value),
      loadsTyped,
    } as Odd);
    await saver.put(thread, checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    for (const read of [() => saver.getTuple(thread), () => all(saver.list(thread))]) {
      const thrown = await thrownBy(read);
      expect(thrown).toMatchObject({ code: "serializer-failed", cause });
      expect(thrown).toBeInstanceOf(CheckpointerError);
    }
  });

  test("and_is_a_subclass_has_its_own_error_named", async () => {
    class Sealed extends JsonPlusSerde {
      override async dumpsTyped(value: unknown) {
        return super.dumpsTyped(value);
      }
    }
    const thrown = await thrownBy(() => put(open(new Sealed()), { deep: [cycle()] }));
    expect(thrown).toMatchObject({ code: "cyclic-value", path: "value.deep[0].self" });
  });
});

test("what_a_caller_throws_into_a_listing_stays_its_own", async () => {
  const saver = open();
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  const listed = async () => {
    for await (const _ of saver.list(config("t"))) throw cause;
  };
  expect(await thrownBy(listed)).toBe(cause);
  await expect(saver.list(config("t")).throw(cause)).rejects.toBe(cause);
});
