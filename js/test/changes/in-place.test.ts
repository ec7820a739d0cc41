// Values are changed in place and put again. A saver with a cache must store and give the same as
// one without.

import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  RemoveMessage,
  ToolMessage,
} from "@langchain/core/messages";

import { checkpoint, config, metadata } from "../support/checkpoints.js";
import { Twins } from "../support/twins.js";

function agent(id: string): AIMessage {
  return new AIMessage({
    id,
    content: `I look up ${id}.`,
    tool_calls: [{ type: "tool_call", id: "c1", name: "find", args: { days: [1, 2], q: id } }],
    additional_kwargs: { note: { deep: { deeper: [0] } } },
    response_metadata: { usage: { tokens: 7 } },
  });
}

function state() {
  const outside = { read: "first" };
  const messages: BaseMessage[] = [new HumanMessage({ id: "h0", content: "hello" })];
  for (let index = 1; index < 12; index += 1) {
    messages.push(index % 3 === 2 ? toolResult(index) : agent(`m${index}`));
  }
  const files: Record<string, unknown> = {
    "a.txt": "line\n".repeat(300),
    "b.json": { rows: [{ x: 1 }, { x: 2 }], done: false },
    none: undefined,
    9: ["nine"],
  };
  const kinds = {
    map: new Map<unknown, unknown>([["k", { v: 1 }]]),
    set: new Set<unknown>([1, "two"]),
    bytes: Uint8Array.from([1, 2, 3]),
    buffer: Buffer.from("bytes"),
    floats: Float64Array.from([1, 2]),
    date: new Date(0),
    error: new Error("first"),
    boxed: new Map([["inner", new Date(5)]]),
    get getter() {
      return outside.read;
    },
  };
  const primitives: unknown[] = [1, Number.NaN, -0, undefined, null, "x", 2n, true];
  const values: Record<string, unknown> = {
    messages,
    files,
    kinds: [{ before: 1 }, kinds, { after: 1 }],
    primitives,
    alone: kinds.bytes,
    day: kinds.date,
    text: "t",
    nested: { list: [{ inner: { list: [1, 2, 3] } }] },
  };
  return { values, messages, files, kinds, primitives, outside };
}

function toolResult(index: number): ToolMessage {
  const artifact = { table: [[1, 2], [index]], bytes: Uint8Array.from([index]) };
  return new ToolMessage({ id: `t${index}`, content: "found", tool_call_id: "c1", artifact });
}

type State = ReturnType<typeof state>;
type Change = (state: State) => unknown;

/** A message of a state, as an instance of the class whose fields change. */
function message<Message extends BaseMessage>(
  { messages }: State,
  index: number,
  type: new (...args: never[]) => Message,
): Message {
  const found = messages[index];
  if (found instanceof type) return found;
  throw new TypeError(`message ${index} is no ${type.name}`);
}

const ai = (state: State) => message(state, 4, AIMessage);
const tool = (state: State) => message(state, 5, ToolMessage);

const CHANGES: readonly (readonly [string, Change])[] = [
  ["nothing", () => {}],
  ["a message's field reassigned", (s) => Object.assign(ai(s), { content: "other" })],
  ["a message's field emptied", (s) => Object.assign(ai(s), { id: undefined })],
  ["a message's content made blocks", (s) => Object.assign(ai(s), { content: [{ type: "x" }] })],
  ["a message's lc_kwargs added to", (s) => Object.assign(ai(s).lc_kwargs, { name: "n" })],
  ["a message's lc_kwargs cut", (s) => Reflect.deleteProperty(ai(s).lc_kwargs, "tool_calls")],
  ["a message's lc_kwargs replaced", (s) => Object.assign(ai(s), { lc_kwargs: { content: "" } })],
  ["a tool call's argument", (s) => Object.assign(ai(s).tool_calls?.[0]?.args ?? {}, { q: "y" })],
  ["a tool call's list spliced", (s) => ai(s).tool_calls?.[0]?.args.days.splice(0, 1, 5, 6)],
  ["a tool call added", (s) => ai(s).tool_calls?.push({ name: "more", args: {} })],
  ["a deep item", (s) => Object.assign(ai(s).additional_kwargs, { note: { deep: [-0] } })],
  ["a deep zero", (s) => Object.assign(Object(ai(s).additional_kwargs.note).deep.deeper, [-0])],
  ["a key added below", (s) => Object.assign(ai(s).response_metadata, { more: 1 })],
  ["a key deleted below", (s) => Reflect.deleteProperty(ai(s).response_metadata, "usage")],
  ["an artifact's table", (s) => tool(s).artifact.table[1].push(9)],
  ["an artifact's bytes", (s) => tool(s).artifact.bytes.fill(200)],
  ["a message's class", (s) => Object.setPrototypeOf(ai(s), HumanMessage.prototype)],
  ["the first message", (s) => Object.assign(s.messages[0] ?? {}, { content: "bye" })],
  ["the last message", (s) => Object.assign(s.messages[11] ?? {}, { content: "bye" })],
  ["every message", (s) => s.messages.map((m) => Object.assign(m, { content: "all" }))],
  ["a message replaced", (s) => s.messages.splice(6, 1, new RemoveMessage({ id: "x" }))],
  ["a message replaced by its equal", (s) => s.messages.splice(4, 1, agent("m4"))],
  ["a message appended", (s) => s.messages.push(agent("new"))],
  ["a message in front", (s) => s.messages.unshift(agent("new"))],
  ["a message in the middle", (s) => s.messages.splice(6, 0, agent("new"))],
  ["the first message removed", (s) => s.messages.shift()],
  ["the last message removed", (s) => s.messages.pop()],
  ["messages removed in the middle", (s) => s.messages.splice(3, 4)],
  ["every second message removed", (s) => s.messages.splice(0, 12, ...everySecond(s.messages))],
  ["messages reversed", (s) => s.messages.reverse()],
  ["messages swapped", (s) => s.messages.push(...s.messages.splice(2, 1))],
  ["a message twice", (s) => s.messages.push(...s.messages.slice(3, 5))],
  ["a hole", (s) => Reflect.deleteProperty(s.messages, "3")],
  ["a list emptied", (s) => s.messages.splice(0)],
  ["a list truncated", (s) => Object.assign(s.messages, { length: 5 })],
  ["a list of another object", (s) => Object.assign(s.values, { messages: [...s.messages] })],
  ["a list made a map", (s) => Object.assign(s.values, { messages: { ...s.messages } })],
  ["a map made a list", (s) => Object.assign(s.values, { files: Object.values(s.files) })],
  ["a list made text", (s) => Object.assign(s.values, { messages: "gone" })],
  ["a list made bytes", (s) => Object.assign(s.values, { messages: Uint8Array.from([91, 93]) })],
  ["a list made a Set", (s) => Object.assign(s.values, { messages: new Set(s.messages) })],
  ["a list with a toJSON", (s) => Object.assign(s.messages, { toJSON: () => ["own"] })],
  ["a channel gone", (s) => Reflect.deleteProperty(s.values, "messages")],
  ["a channel more", (s) => Object.assign(s.values, { more: s.messages })],
  ["channels swapped", (s) => Object.assign(s.values, { files: s.messages, messages: s.files })],
  ["channels in another order", (s) => move(s.values, "messages")],
  ["a file replaced", (s) => Object.assign(s.files, { "a.txt": "short" })],
  ["a file's row", (s) => Object.assign(s.files, { "b.json": { rows: [], done: true } })],
  ["a file added", (s) => Object.assign(s.files, { "c.txt": "new" })],
  ["a file of a number added", (s) => Object.assign(s.files, { 3: "in front" })],
  ["a file deleted", (s) => Reflect.deleteProperty(s.files, "a.txt")],
  ["a file without a value deleted", (s) => Reflect.deleteProperty(s.files, "none")],
  ["a file moved to the end", (s) => move(s.files, "a.txt")],
  ["a file renamed", (s) => rename(s.files, "a.txt", "z.txt")],
  ["every file renamed", (s) => Object.keys(s.files).map((n) => rename(s.files, n, `${n}.old`))],
  ["files that trade names", (s) => trade(s.files, "a.txt", "b.json")],
  ["a file made a function", (s) => Object.assign(s.files, { "b.json": () => 1 })],
  ["a file hidden", (s) => Object.defineProperty(s.files, "a.txt", { enumerable: false })],
  ["files emptied", (s) => empty(s.files)],
  ["files made a record", (s) => Object.assign(s.files, { lc: 2, type: "undefined" })],
  ["files made a Send", (s) => Object.assign(s.files, { lg_name: "Send", node: "n", args: 1 })],
  ["files named __proto__", (s) => Object.defineProperty(s.files, "__proto__", own({ p: 1 }))],
  ["a Map's value", (s) => s.kinds.map.set("k", 2)],
  ["what a Map holds", (s) => Object.assign(Object(s.kinds.map.get("k")), { v: 2 })],
  ["what a Map's Date says", (s) => s.kinds.boxed.get("inner")?.setTime(6)],
  ["a Set's item", (s) => s.kinds.set.add("three")],
  ["bytes", (s) => s.kinds.bytes.fill(7)],
  ["a Buffer", (s) => s.kinds.buffer.write("BYTES")],
  ["floats", (s) => s.kinds.floats.set([-0])],
  ["a Date", (s) => s.kinds.date.setTime(1)],
  ["an Error", (s) => Object.assign(s.kinds.error, { message: "second" })],
  ["what a getter gives", (s) => Object.assign(s.outside, { read: "second" })],
  ["zero made negative", (s) => s.primitives.splice(2, 1, 0)],
  ["NaN made null", (s) => s.primitives.splice(1, 1, null)],
  ["undefined made null", (s) => s.primitives.splice(3, 1, null)],
  ["a bigint made a number", (s) => s.primitives.splice(6, 1, 2)],
  ["a symbol", (s) => s.primitives.push(Symbol("s"))],
  ["a cycle", (s) => s.primitives.push(s.primitives)],
  ["text made bytes", (s) => Object.assign(s.values, { text: Buffer.from("t") })],
  ["deep below a map", (s) => Object.assign(s.values.nested ?? {}, { list: [{ inner: -0 }] })],
];

function everySecond<Item>(items: readonly Item[]): Item[] {
  return items.filter((_, index) => index % 2 === 0);
}

function move(fields: Record<string, unknown>, name: string): void {
  const value = fields[name];
  delete fields[name];
  fields[name] = value;
}

function rename(fields: Record<string, unknown>, name: string, other: string): void {
  fields[other] = fields[name];
  delete fields[name];
}

function trade(fields: Record<string, unknown>, name: string, other: string): void {
  [fields[name], fields[other]] = [fields[other], fields[name]];
}

function empty(fields: Record<string, unknown>): void {
  for (const name of Object.keys(fields)) delete fields[name];
}

function own(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

describe("a_change_in_place_of_what_was_put_is_stored:", () => {
  test.each(CHANGES)("%s", async (_, change) => {
    const twins = new Twins();
    const given = state();
    await twins.put(given.values);
    await twins.expectSame();
    change(given);
    await twins.put(given.values);
    await twins.expectSame();
    await twins.put(given.values);
    await twins.expectSame();
  });
});

test("changes_upon_changes_are_stored", async () => {
  const twins = new Twins();
  const given = state();
  for (const [, change] of CHANGES) {
    try {
      change(given);
    } catch (thrown) {
      // Some changes need something that an earlier one removed.
      if (!(thrown instanceof TypeError)) throw thrown;
    }
    given.primitives.splice(8);
    await twins.put(given.values);
    await twins.expectSame();
  }
});

test("a_channel_that_was_gone_comes_back_as_it_is_then", async () => {
  const twins = new Twins();
  const { values, messages, files } = state();
  await twins.put(values);
  await twins.put({ files });
  messages.push(agent("meanwhile"));
  await twins.put({ files, messages });
  const tuple = await twins.expectSame();
  expect(tuple?.checkpoint.channel_values.messages).toHaveLength(13);
  messages.splice(0);
  await twins.put({ messages });
  messages.push(agent("again"));
  await twins.put({ messages });
  await twins.expectSame();
});

test.each([1, 2, 3])("what_a_getter_says_%i_times_only_is_not_kept", async (times) => {
  const { remembering } = new Twins();
  let reads = 0;
  const lazy = {
    get state() {
      reads += 1;
      return reads <= times ? "made" : "kept";
    },
  };
  for (const number of [1, 2, 3, 4]) {
    const next = checkpoint(number, { list: [lazy] });
    await remembering.put(config("t"), next, metadata(number), { list: number });
  }
  const tuple = await remembering.getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toEqual({ list: [{ state: "kept" }] });
});
