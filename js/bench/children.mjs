// Runs the parts of workloads that need a process of their own. A file of children/ exports `run`.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("child.mjs", import.meta.url));

/** A running child. */
export class Child {
  #process;
  #exited;

  /**
   * @param file The file of children/, without extension.
   * @param options Passed to its `run`.
   * @param wrapper A program with its arguments that runs Node.js, such as a tracer.
   */
  constructor(file, options, wrapper = []) {
    const [execPath, ...execArgv] = [...wrapper, process.execPath];
    const settings = { execPath, execArgv, serialization: "advanced" };
    this.#process = fork(ENTRY, [file, JSON.stringify(options)], settings);
    this.#exited = once(this.#process, "exit");
  }

  /** The child's next message. Throws if the child exits first. */
  async message() {
    const [message] = await Promise.race([
      once(this.#process, "message"),
      this.#exited.then(([code]) => {
        throw new Error(`a child of the benchmark ended early, with code ${code}`);
      }),
    ]);
    return message;
  }

  /** Tells the child to start. */
  go() {
    this.#process.send("go");
  }

  /** Waits for the child to exit. */
  async ended() {
    await this.#exited;
  }
}

/** Runs a child to its end, and returns what it measured. */
export async function runChild(file, options, wrapper) {
  const child = new Child(file, options, wrapper);
  const measured = await child.message();
  await child.ended();
  return measured;
}
