// Savers with a cache and a serializer other than this package's own.

import { MemorySaver, type SerializerProtocol } from "@langchain/langgraph-checkpoint";

import { JsonPlusSerde } from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { rowsIn } from "../support/rows.js";
import { Twins } from "../support/twins.js";

/** LangGraph.js's own serializer. It returns the very bytes that it gets. */
const stock = () => new MemorySaver().serde;

function scrambled(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0x5a);
}

/** Only this serializer can read its texts. */
class Scrambling extends JsonPlusSerde {
  override dumps(value: unknown): ReturnType<JsonPlusSerde["dumps"]> {
    const [kind, bytes] = super.dumps(value);
    return [kind, scrambled(bytes)];
  }

  override loads(kind: string, data: Uint8Array | string): unknown {
    if (typeof data === "string") throw new TypeError("this serializer reads bytes");
    return super.loads(kind, scrambled(data));
  }
}

/** Answers in a later turn of the event loop, longer values first. */
class Dawdling implements SerializerProtocol {
  readonly #serde = new JsonPlusSerde();

  async dumpsTyped(value: unknown): Promise<[string, Uint8Array]> {
    const dumped = this.#serde.dumps(value);
    for (let turn = 0; turn < 40 - dumped[1].length; turn += 1) await null;
    return dumped;
  }

  async loadsTyped(kind: string, data: Uint8Array | string): Promise<unknown> {
    for (let turn = 0; turn < 40 - data.length; turn += 1) await null;
    return this.#serde.loads(kind, data);
  }
}

async function putAlone(saver: SqliteSaver, number: number, values: Record<string, unknown>) {
  const next = checkpoint(number, values);
  await saver.put(config("t", idOf(number - 1)), next, metadata(number), next.channel_versions);
}

describe.each<[string, () => SerializerProtocol]>([
  ["LangGraph's own", stock],
  ["a subclass that scrambles", () => new Scrambling()],
  ["a slow one", () => new Dawdling()],
])("with %s", (_, toSerde) => {
  test("changes_in_place_are_stored", async () => {
    const twins = new Twins({}, toSerde);
    const list: unknown[] = [{ a: [1] }, "x", null];
    const values: Record<string, unknown> = { list, map: { k: { v: 1 } }, text: "t", none: null };
    const bytes = Uint8Array.from([1, 2, 3]);
    values.bytes = bytes;
    const changes = [
      () => Object.assign(list[0] ?? {}, { a: [2] }),
      () => list.push({ b: 1 }),
      () => Object.assign(values.map ?? {}, { more: [] }),
      () => bytes.fill(9),
      () => Object.assign(values, { text: "u", none: 0 }),
      () => Object.assign(values, { text: { t: 1 }, list: "no list" }),
      () => {},
    ];
    for (const change of changes) {
      await twins.put(values);
      await twins.expectSame();
      change();
    }
    await twins.put(values);
    const tuple = await twins.expectSame();
    expect(tuple?.checkpoint.channel_values).toMatchObject(values);
  });

  test("what_was_returned_shares_nothing_with_what_is_remembered", async () => {
    const { remembering } = new Twins({}, toSerde);
    const values = () => ({ bytes: Uint8Array.from([1, 2, 3]), list: [{ a: 1 }] });
    await putAlone(remembering, 1, values());
    for (let read = 0; read < 3; read += 1) {
      const tuple = await remembering.getTuple(config("t"));
      expect(tuple?.checkpoint.channel_values).toMatchObject(values());
      const { bytes, list } = tuple?.checkpoint.channel_values ?? {};
      Object.assign(Object(bytes), [0, 0, 0]);
      Object.assign(Object(list)[0], { a: 2 });
    }
  });

  test("what_was_put_shares_nothing_with_what_is_remembered", async () => {
    const { remembering } = new Twins({}, toSerde);
    const bytes = Uint8Array.from([1, 2, 3]);
    const list = [{ a: 1 }];
    const stored = putAlone(remembering, 1, { bytes, list });
    bytes.fill(0);
    await stored;
    bytes.fill(9);
    list.splice(0);
    const tuple = await remembering.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toMatchObject({
      bytes: Uint8Array.from([1, 2, 3]),
      list: [{ a: 1 }],
    });
  });
});

test("a_subclass_that_scrambles_leaves_no_text_in_the_clear", async () => {
  const saver = SqliteSaver.fromConnString(":memory:", { serde: new Scrambling() });
  onTestFinished(() => saver.close());
  const secret = "attack at dawn";
  const messages: unknown[] = [];
  for (const number of [1, 2, 3]) {
    messages.push({ secret, number });
    await putAlone(saver, number, { messages, files: { secret }, secret });
  }
  const stored = rowsIn(saver.db).join();
  expect(stored).not.toContain(secret);
  expect(stored).not.toContain(Buffer.from(secret).toString("hex").toUpperCase());
  const tuple = await saver.getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toEqual({ messages, files: { secret }, secret });
});

test("a_put_whose_every_value_fails_later_is_refused_once", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => {
    process.off("unhandledRejection", note);
  });
  const serde: SerializerProtocol = {
    async dumpsTyped(value) {
      const turns = typeof value === "object" ? 50 : 1;
      for (let turn = 0; turn < turns; turn += 1) await null;
      throw new Error("no key to encrypt with");
    },
    loadsTyped: async () => undefined,
  };
  const saver = SqliteSaver.fromConnString(":memory:", { serde });
  onTestFinished(() => saver.close());
  const values = [{ quick: 1, slow: {} }, { quick: 1 }, { slow: {}, "\ud800": 1 }];
  for (const given of values) {
    const put = saver.put(config("t"), checkpoint(1, given, {}), metadata(1), {});
    await expect(put).rejects.toThrow(/the serializer threw an error at|well-formed/);
    // Node.js reports unhandled rejections at the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(unhandled).toEqual([]);
});

test("a_put_with_values_that_fail_at_once_and_later_is_refused_once", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => {
    process.off("unhandledRejection", note);
  });
  class Failing extends JsonPlusSerde {
    override async dumpsTyped(): Promise<never> {
      await null;
      throw new Error("no key to encrypt with");
    }
  }
  const saver = SqliteSaver.fromConnString(":memory:", { serde: new Failing({ strict: true }) });
  onTestFinished(() => saver.close());
  for (const values of [{ left: () => 1 }, { later: 1, left: () => 1 }]) {
    const put = saver.put(config("t"), checkpoint(1, values, {}), metadata(1), {});
    await expect(put).rejects.toMatchObject({ name: "SerializationError" });
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(unhandled).toEqual([]);
});

test.each([undefined, null, 3, {}, ["json"], ["json", "text"]])(
  "a_serializer_that_gives_%o_is_invalid",
  async (dumped) => {
    const serde = { dumpsTyped: async () => dumped, loadsTyped: async () => undefined };
    const saver = SqliteSaver.fromConnString(":memory:", { serde: serde as never });
    onTestFinished(() => saver.close());
    const put = saver.put(config("t"), checkpoint(1), metadata(1), {});
    await expect(put).rejects.toMatchObject({ code: "invalid-serializer" });
  },
);
