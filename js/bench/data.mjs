// Conversations of an agent with tools, the same in every run.

import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";

/** Sizes of a state, as JSON. */
export const SIZES = { "3.8 KB": 3_800, "35 KB": 35_000, "235 KB": 235_000, "2 MB": 2_000_000 };

const WORDS = (
  "the flight to Lisbon leaves at nine and lands before noon so there is time for a walk along " +
  "the river to the hotel which costs less in May than in June when every room is taken"
).split(" ");

/** A source of pseudo-random numbers, always the same for a seed. */
function sequence(seed) {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

function prose(next, length) {
  let text = "";
  while (text.length < length) text += `${WORDS[next() % WORDS.length]} `;
  return `${text.slice(0, length - 1)}.`;
}

function hex(next) {
  return next().toString(16).padStart(8, "0");
}

function idOf(next) {
  return `${hex(next)}-${hex(next).slice(4)}-4${hex(next).slice(5)}-8${hex(next).slice(5)}`;
}

const MAKERS = [
  (next) => new HumanMessage({ id: idOf(next), content: prose(next, 940) }),
  (next, number) =>
    new AIMessage({
      id: `run-${idOf(next)}`,
      content: prose(next, 300),
      tool_calls: [callOf(next, number)],
      ...modelData(next),
    }),
  (next, number) =>
    new ToolMessage({
      id: idOf(next),
      tool_call_id: `call_${number - 1}`,
      name: "search_flights",
      content: JSON.stringify({ offers: [{ fare: next() % 900, note: prose(next, 780) }] }),
    }),
  (next) =>
    new AIMessage({
      id: `run-${idOf(next)}`,
      content: prose(next, 480),
      tool_calls: [],
      ...modelData(next),
    }),
];

function callOf(next, number) {
  const args = { from: "BER", to: "LIS", day: `2027-05-${10 + (next() % 20)}`, seats: next() % 4 };
  return { type: "tool_call", id: `call_${number}`, name: "search_flights", args };
}

function modelData(next) {
  const [input, output] = [1_000 + (next() % 9_000), 40 + (next() % 400)];
  return {
    response_metadata: {
      model_name: "a-model-of-some-provider",
      system_fingerprint: `fp_${hex(next)}`,
      finish_reason: "stop",
      usage: { prompt_tokens: input, completion_tokens: output },
    },
    usage_metadata: {
      input_tokens: input,
      output_tokens: output,
      total_tokens: input + output,
      input_token_details: { cache_read: input >> 1 },
    },
  };
}

/** Message `number` of conversation `seed`: about 1 KB as JSON. */
export function messageOf(seed, number) {
  return MAKERS[number % MAKERS.length](sequence(seed * 100_003 + number), number);
}

/** A message of the long thread: about 0.7 KB as JSON. */
export function shortMessageOf(seed, number) {
  const next = sequence(seed * 100_003 + number);
  const Kind = number % 2 === 0 ? HumanMessage : AIMessage;
  return new Kind({ id: idOf(next), content: prose(next, number % 2 === 0 ? 540 : 470) });
}

/** The next two messages of a conversation. */
export function twoAfter(messages, seed) {
  return [messages.length, messages.length + 1].map((number) => messageOf(seed, number));
}

/** Messages whose JSON is as close to a size as whole messages allow. */
export function messagesOf(seed, bytes) {
  const messages = [];
  for (let taken = 0; ; ) {
    const message = messageOf(seed, messages.length);
    const length = JSON.stringify(message).length + 1;
    if (taken + length / 2 > bytes) return messages;
    taken += length;
    messages.push(message);
  }
}

/** The checkpoint of a step. Its id sorts after those of earlier steps. */
export function checkpointOf(step, messages) {
  const version = step + 1;
  return {
    v: 4,
    id: `1f000000-0000-6000-8000-${String(step).padStart(12, "0")}`,
    ts: new Date(Date.UTC(2027, 0, 1) + step * 1_000).toISOString(),
    channel_values: { messages, "branch:to:tools": null, remaining: 25 - (step % 20) },
    channel_versions: {
      __start__: 1,
      messages: version,
      "branch:to:tools": version,
      remaining: version,
    },
    versions_seen: {
      __input__: {},
      agent: { messages: step, "branch:to:agent": step },
      tools: { "branch:to:tools": step },
    },
  };
}

/** The metadata that LangGraph gives to the checkpoint of a step, plus the caller's. */
export function metadataOf(step, threadId, more = {}) {
  return { source: "loop", step, parents: {}, thread_id: threadId, ...more };
}
