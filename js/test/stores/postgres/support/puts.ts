// Puts of threads that grow, and failures as values.

import type { PostgresDriverSaver } from "../../../../src/stores/postgres/saver.js";
import { checkpoint, config, idOf, metadata } from "../../../support/checkpoints.js";

/** A text that is stored in a chunk of its own. */
export const LONG = "long enough for a chunk of its own ".repeat(8);

/** Puts the checkpoint with this number of the thread `t`, after the one before it. */
export function put(saver: PostgresDriverSaver, number: number) {
  const stored = checkpoint(number, { messages: [`${LONG}${number}`] });
  const parent = number === 1 ? undefined : idOf(number - 1);
  return saver.put(config("t", parent), stored, metadata(number), { messages: number });
}

/** What a call throws. */
export async function failure(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (thrown) {
    return thrown;
  }
  return "nothing failed";
}
