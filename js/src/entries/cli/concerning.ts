// Errors that say which of two databases they are about.

import { StoreError } from "../../errors.js";

/** The errors that say it already. */
const located = new WeakSet<StoreError>();

/** Runs something that uses one of two databases. A failure of that one says so. */
export async function concerning<T>(which: "SOURCE" | "TARGET", run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof StoreError && !located.has(thrown)) {
      located.add(thrown);
      Object.assign(thrown, { message: `${which}: ${thrown.message}` });
    }
    throw thrown;
  }
}
