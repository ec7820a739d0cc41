// Threads that are long enough to meet the limits of stores.

import type { StorageSaver } from "../stores/storage-saver.js";
import { portableExpect } from "./expect.js";
import type { AdapterTest, OpenedSaver } from "./suite.js";

const MESSAGES = 5_000;

/** The tests of long threads. */
export function threadTests(open: () => Promise<OpenedSaver>): AdapterTest[] {
  return [
    {
      name: "a_thread_of_5000_messages_grows_and_is_read_whole",
      run: async () => {
        const { saver, close } = await open();
        try {
          await growAndRead(saver);
        } finally {
          await close();
        }
      },
    },
  ];
}

async function growAndRead(saver: StorageSaver): Promise<void> {
  const expect = portableExpect();
  const messages = Array.from({ length: MESSAGES }, (_, index) => message(index));
  await put(saver, 0, messages);
  for (const step of [1, 2, 3]) {
    messages.push(message(MESSAGES + step));
    await put(saver, step, messages);
  }
  const reader = await saver.getTuple({ configurable: { thread_id: "long" } });
  expect(reader?.checkpoint.channel_values.messages).toStrictEqual(messages);
  const found: unknown[] = [];
  for await (const { checkpoint } of saver.list({ configurable: { thread_id: "long" } })) {
    found.push((checkpoint.channel_values.messages as unknown[]).length);
  }
  expect(found).toStrictEqual([MESSAGES + 3, MESSAGES + 2, MESSAGES + 1, MESSAGES]);
}

function message(index: number) {
  return {
    id: `m-${index}`,
    role: index % 2 ? "ai" : "human",
    content: `text ${index} `.repeat(12),
  };
}

async function put(saver: StorageSaver, step: number, messages: unknown[]): Promise<void> {
  const config = { configurable: { thread_id: "long", checkpoint_ns: "" } };
  const checkpoint = {
    v: 4,
    id: `1f000000-0000-6000-8000-${String(step).padStart(12, "0")}`,
    ts: new Date(Date.UTC(2027, 0, 1) + step).toISOString(),
    channel_values: { messages },
    channel_versions: { messages: step + 1 },
    versions_seen: {},
  };
  const metadata = { source: "loop", step, parents: {} } as const;
  await saver.put(config, checkpoint, metadata, { messages: step + 1 });
}
