// Conversations of a given size, the same in every run.

import { AIMessage, HumanMessage } from "@langchain/core/messages";

const WORDS = "the trip to Lisbon takes three days in May and the hotel is near the river".split(
  " ",
);

function sentence(number, length) {
  const words = Array.from(
    { length },
    (_, index) => WORDS[(number * 7 + index * 3) % WORDS.length],
  );
  return `${number}: ${words.join(" ")}.`;
}

/** A person's message and the answer. */
export function exchange(number) {
  return [
    new HumanMessage({ id: `human-${number}`, content: sentence(number, 20) }),
    new AIMessage({ id: `ai-${number}`, content: sentence(number + 1, 60) }),
  ];
}

/** Messages whose JSON takes about so many bytes. */
export function messagesOf(bytes) {
  const messages = [];
  let taken = 0;
  for (let number = 0; taken < bytes; number += 1) {
    const pair = exchange(number);
    taken += JSON.stringify(pair).length;
    messages.push(...pair);
  }
  return messages;
}

/** One more checkpoint of a thread: its id sorts after those before it. */
export function checkpointOf(step, messages) {
  return {
    v: 4,
    id: `1f000000-0000-6000-8000-${String(step).padStart(12, "0")}`,
    ts: new Date(Date.UTC(2027, 0, 1) + step).toISOString(),
    channel_values: { messages },
    channel_versions: { messages: step },
    versions_seen: { model: { messages: step } },
  };
}
