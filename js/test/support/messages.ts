// Messages of every class.

import * as own from "@langchain/core/messages";

const id = "m1";
const call = { name: "search", args: { q: "x", n: 1 }, id: "c1", type: "tool_call" as const };
// With exact optional types, the field's declared type accepts no value.
const usage: object = {
  usage_metadata: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
};
const blocks = [
  { type: "text" as const, text: "look" },
  { type: "image_url" as const, image_url: { url: "https://example.org/a.png" } },
];

/** A message of every class, and of every kind of content. */
export function messagesOf(core: typeof own): [string, own.BaseMessage][] {
  return [
    ["a HumanMessage", new core.HumanMessage("hi")],
    ["a HumanMessage of blocks", new core.HumanMessage({ content: blocks, id, name: "ann" })],
    ["a SystemMessage", new core.SystemMessage({ content: "be brief", id })],
    ["an AIMessage", new core.AIMessage({ content: "yes", id, response_metadata: { model: "m" } })],
    [
      "an AIMessage with tool calls",
      new core.AIMessage({
        content: "",
        id,
        tool_calls: [call],
        invalid_tool_calls: [{ name: "bad", args: "{", id: "c2", error: "Malformed args." }],
        ...usage,
        additional_kwargs: { camelCase: { snake_case: [1] } },
      }),
    ],
    [
      "an AIMessage of standard content blocks",
      new core.AIMessage({ contentBlocks: [{ type: "text", text: "v1" }, call] }),
    ],
    [
      "a ToolMessage",
      new core.ToolMessage({
        content: "found",
        tool_call_id: "c1",
        name: "search",
        status: "success",
        artifact: { rows: [[1, null]], inner: [new core.HumanMessage("nested")] },
      }),
    ],
    ["a FunctionMessage", new core.FunctionMessage({ content: "out", name: "f" })],
    ["a ChatMessage", new core.ChatMessage({ content: "hm", role: "critic", id })],
    ["a RemoveMessage", new core.RemoveMessage({ id: "gone" })],
    ["a HumanMessageChunk", new core.HumanMessageChunk({ content: "h", id })],
    ["a SystemMessageChunk", new core.SystemMessageChunk({ content: "s" })],
    [
      "an AIMessageChunk",
      new core.AIMessageChunk({
        content: "par",
        id,
        ...usage,
        tool_call_chunks: [
          { name: "search", args: '{"q":"x"}', id: "c1", index: 0, type: "tool_call_chunk" },
        ],
      }),
    ],
    ["a ChatMessageChunk", new core.ChatMessageChunk({ content: "hm", role: "critic" })],
    ["a FunctionMessageChunk", new core.FunctionMessageChunk({ content: "out", name: "f" })],
  ];
}

/** The messages of the installed package. */
export const messages = messagesOf(own);

/** A message that LangChain's own loader does not read completely. */
export const toolChunk = new own.ToolMessageChunk({
  content: "part",
  tool_call_id: "c9",
  status: "error",
});
