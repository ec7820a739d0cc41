// Values of another realm, and messages of another copy of @langchain/core, are recognized.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";

import * as core from "@langchain/core/messages";
import { write } from "../../src/changes/diff.js";
import { TrackedParts } from "../../src/changes/value.js";
import { JsonPlusSerde } from "../../src/serde/serializer.js";
import { messages, messagesOf } from "../support/messages.js";
import { secondMessages } from "../support/second-core.js";
import { Twins } from "../support/twins.js";
import { stock, text } from "./arbitraries.js";

const serde = new JsonPlusSerde();
const restore = (value: unknown): unknown => serde.loads(...serde.dumps(value));

const folder = mkdtempSync(join(tmpdir(), "langgraph-checkpoint-"));
const second = await secondMessages(folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a value of another realm is written as one of this realm", () => {
  const values: [string, string][] = [
    ["a Date", "new Date(5)"],
    ["an invalid Date", "new Date(NaN)"],
    ["a Map", "new Map([['k', { at: new Date(5) }]])"],
    ["a Set", "new Set([1, 'two'])"],
    ["bytes", "Uint8Array.of(1, 2, 3)"],
    ["numbers", "Float64Array.of(1, 2.5)"],
    ["memory", "Uint8Array.of(1, 2, 3).buffer"],
    ["a RegExp", "/x+/gi"],
    ["an Error", "new TypeError('mine')"],
    ["a list", "[1, [2], { a: [undefined, -0, 3n] }]"],
    ["a map", "({ a: { b: new Date(5) }, lc: 5 })"],
    ["a record's look-alike", "({ lc: 2, type: 'undefined' })"],
    ["a boxed number", "new Number(5)"],
  ];

  it.each(values)("%s", (_, code) => {
    const own = runInNewContext(code, globalThis);
    const other: unknown = runInNewContext(code);
    // The same value in this realm.
    const here: unknown = new Function(`return ${code}`)();
    expect(own).toBeDefined();
    expect(serde.dumps([other])).toEqual(serde.dumps([here]));
    expect(serde.dumps({ other })).toEqual(serde.dumps({ other: here }));
    expect(restore([other])).toEqual(restore([here]));
  });

  it("but a Date with a toJSON of its own is what that gives", () => {
    const code = "const date = new Date(5); date.toJSON = () => 'mine'; [date]";
    expect(restore(runInNewContext(code))).toEqual(["mine"]);
    const subclass = "class Day extends Date { toJSON() { return 'day' } }; [new Day(5)]";
    expect(restore(runInNewContext(subclass))).toEqual(["day"]);
    expect(restore(runInNewContext("class Day extends Date {}; [new Day(5)]"))).toEqual([
      new Date(5),
    ]);
  });
});

describe("a message of another copy of @langchain/core", () => {
  it("is no instance of the classes that are read", () => {
    const message = new second.HumanMessage("hi");
    expect(Object.getPrototypeOf(message)).not.toBe(core.HumanMessage.prototype);
    expect(core.HumanMessage).not.toBe(second.HumanMessage);
  });

  it.each(messagesOf(second))("is written in the stock bytes: %s", async (name, message) => {
    const value = { messages: [message], last: message };
    expect(text(serde.dumps(value)[1])).toBe(text((await stock.dumpsTyped(value))[1]));
    const own = messages.find(([called]) => called === name)?.[1];
    expect(restore(message)).toEqual(restore(own));
    expect(restore(message)).toBeInstanceOf(own?.constructor);
    expect(Object.getPrototypeOf(restore(message))).toBe(Object.getPrototypeOf(own));
  });

  it("keeps what is in its fields, as one of this copy does", () => {
    const kept = {
      at: new Date(5),
      pairs: new Map([["k", new Set([1n])]]),
      bytes: Uint8Array.of(1, 2, 255),
      nested: { lc: 5, deep: [new Date(6)] },
    };
    const fields = (from: typeof core) =>
      new from.AIMessage({
        content: "",
        tool_calls: [{ type: "tool_call", id: "c", name: "find", args: kept }],
        additional_kwargs: { kept },
      });
    const [other, here] = [fields(second), fields(core)];
    expect(serde.dumps([other])).toEqual(serde.dumps([here]));
    const [read] = restore([other]) as core.AIMessage[];
    expect(read).toBeInstanceOf(core.AIMessage);
    expect(read?.tool_calls?.[0]?.args).toEqual(kept);
    expect(read?.additional_kwargs).toEqual({ kept });
  });

  it("is not mistaken for its class where it is of a subclass", async () => {
    class Note extends second.HumanMessage {
      static override lc_name(): string {
        return "Note";
      }
    }
    const note = new Note("hi");
    expect(text(serde.dumps([note])[1])).toBe(text((await stock.dumpsTyped([note]))[1]));
    class Secret extends second.HumanMessage {
      static override lc_name(): string {
        return "HumanMessage";
      }
      override get lc_secrets() {
        return { name: "TOKEN" };
      }
    }
    const secret = new Secret({ content: "hi", name: "a secret" });
    expect(text(serde.dumps([secret])[1])).not.toContain("a secret");
  });

  it("is not taken from its mark alone", () => {
    const posing = { [Symbol.for("langchain.message")]: true, content: "x" };
    expect(restore([posing])).toEqual([{ content: "x" }]);
    class Posing {
      content = "x";
    }
    const instance = Object.assign(new Posing(), { [Symbol.for("langchain.message")]: true });
    expect(restore([instance])).toEqual([{ content: "x" }]);
  });

  it("costs nothing more to store once it is stored", async () => {
    const chat: unknown[] = [];
    let before: TrackedParts | undefined;
    for (let turn = 0; turn < 40; turn += 1) {
      const added = new second.AIMessage({ id: `m${turn}`, content: "word ".repeat(100) });
      chat.push(added);
      const known = before && { tracked: before, editable: true };
      const { value, tracked } = await write(serde, [...chat], known, false);
      if (!(tracked instanceof TrackedParts)) throw new TypeError("no list");
      before = tracked;
      if (turn === 0) continue;
      const fresh = serde.dumps(added)[1];
      expect(value).toEqual({
        tag: "edited",
        val: [
          { tag: "kept", val: { first: 0, count: turn } },
          { tag: "fresh", val: fresh },
        ],
      });
    }
    const same = await write(
      serde,
      [...chat],
      before && { tracked: before, editable: true },
      false,
    );
    expect(same.value).toEqual({ tag: "unchanged" });
  });

  it("that is changed in place is stored anew", async () => {
    const chat = [1, 2, 3].map((turn) => new second.HumanMessage({ id: `${turn}`, content: "hi" }));
    const twins = new Twins();
    await twins.put({ messages: chat });
    if (chat[1] !== undefined) chat[1].content = "bye";
    await twins.put({ messages: [...chat, new second.AIMessage("more")] });
    const tuple = await twins.expectSame();
    const read = tuple?.checkpoint.channel_values.messages as core.BaseMessage[];
    expect(read.map(({ content }) => content)).toEqual(["hi", "bye", "hi", "more"]);
    expect(read.every((message) => message instanceof core.BaseMessage)).toBe(true);
  });
});
