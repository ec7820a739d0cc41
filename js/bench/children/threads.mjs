// Many threads in one process, run under a tracer that counts its syncs.

import { close, open } from "../savers.mjs";
import { growThreads } from "../threads.mjs";

export async function run({ name, path, ...work }) {
  const saver = await open(name, path, "full");
  const { steps } = await growThreads(saver, work);
  close(saver, path);
  return { steps };
}
