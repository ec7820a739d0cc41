// The memory of a process after a chat has grown.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { growChat } from "../chat.mjs";
import { open } from "../savers.mjs";

export async function run({ name, path, steps }) {
  let saver;
  if (name !== "none") saver = await open(name, path, "normal");
  const { messages } = await growChat(saver, "chat", steps);
  const before = process.memoryUsage().rss;
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const after = process.memoryUsage();
  saver?.db?.close();
  return { rss: before, collected: after.rss, heap: after.heapUsed, messages: messages.length };
}
