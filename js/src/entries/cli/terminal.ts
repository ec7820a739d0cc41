// Asks the person at the terminal.

import { createInterface } from "node:readline/promises";

/** Whether a person can be asked. */
export function isAtTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

/** Asks a question. Whether the answer is yes; Ctrl+C and Ctrl+D are no. */
export async function isAnsweredYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "AbortError") return false;
    throw thrown;
  } finally {
    lines.close();
  }
}
