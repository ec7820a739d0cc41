// Channels whose elements are promised never to change.

import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { checkpoint, config, idOf, metadata } from "../support/checkpoints.js";
import { rowsIn } from "../support/rows.js";
import { expectSameRows, freshOn, Twins } from "../support/twins.js";

const PROMISE = { assumeImmutable: ["messages"] };

function messages(): BaseMessage[] {
  return Array.from({ length: 40 }, (_, index) => {
    const content = `message ${index} `.repeat(20);
    return index % 2 === 0 ? new HumanMessage({ content }) : new AIMessage({ content });
  });
}

test("an_element_replaced_is_stored", async () => {
  const twins = new Twins(PROMISE);
  const list = messages();
  await twins.put({ messages: list });
  list[7] = new AIMessage({ id: "other", content: "other" });
  list.unshift(new HumanMessage("in front"));
  list.splice(20, 3);
  list.push(new HumanMessage("at the end"));
  await twins.put({ messages: list });
  const tuple = await twins.expectSame();
  expect(tuple?.checkpoint.channel_values.messages).toEqual(list);
  await twins.put({ messages: [] });
  await twins.put({ messages: list });
  await twins.expectSame();
});

test("a_map_is_stored_by_its_keys_and_values", async () => {
  const twins = new Twins({ assumeImmutable: ["files"] });
  const files: Record<string, unknown> = { a: { text: "a" }, b: { text: "b" }, c: 1, d: -0 };
  await twins.put({ files });
  files.a = { text: "other" };
  await twins.put({ files });
  await twins.expectSame();
  [files.a, files.b] = [files.b, files.a];
  files.d = 0;
  await twins.put({ files });
  await twins.expectSame();
  delete files.a;
  files.e = files.b;
  await twins.put({ files });
  const tuple = await twins.expectSame();
  expect(tuple?.checkpoint.channel_values.files).toEqual(files);
});

test("an_element_changed_against_the_promise_is_not_looked_into", async () => {
  const { remembering } = new Twins(PROMISE);
  const values = { messages: [{ text: "as put" }], others: [{ text: "as put" }] };
  const put = (number: number) => {
    const next = checkpoint(number, values);
    return remembering.put(config("t"), next, metadata(number), next.channel_versions);
  };
  await put(1);
  Object.assign(values.messages[0] ?? {}, { text: "changed" });
  Object.assign(values.others[0] ?? {}, { text: "changed" });
  await put(2);
  const tuple = await freshOn(remembering).getTuple(config("t"));
  expect(tuple?.checkpoint.channel_values).toEqual({
    messages: [{ text: "as put" }],
    others: [{ text: "changed" }],
  });
});

test.each([
  ["put", false],
  ["read", true],
])("elements_revived_by_a_saver_that_has_%s_them_are_known_to_it", async (_, isFresh) => {
  const twins = new Twins(PROMISE);
  await twins.put({ messages: messages(), files: { a: { text: "x".repeat(3000) } } });
  const saver = isFresh ? freshOn(twins.remembering, PROMISE) : twins.remembering;
  const tuple = await saver.getTuple(config("t"));
  const chunks = () => rowsIn(saver.db).filter((row) => row.startsWith("lg_chunks"));
  const before = chunks();
  const revived = Object(tuple?.checkpoint.channel_values);
  const next = checkpoint(2, { messages: revived.messages });
  let looks = 0;
  for (const message of revived.messages) {
    const { content } = message;
    const get = () => {
      looks += 1;
      return content;
    };
    Object.defineProperty(message, "content", { get });
  }
  await saver.put(config("t", idOf(1)), next, metadata(2), next.channel_versions);
  expect(looks).toBe(0);
  expect(chunks()).toEqual(before);
  await twins.forgetful.put(config("t", idOf(1)), next, metadata(2), next.channel_versions);
  expect(looks).toBe(40);
  expectSameRows(saver, twins.forgetful);
});

test("what_is_returned_may_be_changed_as_long_as_it_is_not_put", async () => {
  const { remembering } = new Twins(PROMISE);
  const next = checkpoint(1, { messages: [{ text: "as put" }] });
  await remembering.put(config("t"), next, metadata(1), next.channel_versions);
  for (let read = 0; read < 3; read += 1) {
    const tuple = await remembering.getTuple(config("t"));
    expect(tuple?.checkpoint.channel_values).toEqual({ messages: [{ text: "as put" }] });
    Object.assign(Object(tuple?.checkpoint.channel_values.messages)[0], { text: "changed" });
  }
});
