// Parts that need a process of their own: a workload's file exports what its child does.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("child.mjs", import.meta.url));

/** A child that is under way. */
export class Child {
  #process;
  #exited;

  /** @param wrapper A program with its arguments that is to run Node.js, such as a tracer. */
  constructor(file, options, wrapper = []) {
    const [execPath, ...execArgv] = [...wrapper, process.execPath];
    const settings = { execPath, execArgv, serialization: "advanced" };
    this.#process = fork(ENTRY, [file, JSON.stringify(options)], settings);
    this.#exited = once(this.#process, "exit");
  }

  /** The child's next message. */
  async message() {
    const [message] = await Promise.race([
      once(this.#process, "message"),
      this.#exited.then(([code]) => {
        throw new Error(`a child of the benchmark ended early, with code ${code}`);
      }),
    ]);
    return message;
  }

  /** Tells the child to go on. */
  go() {
    this.#process.send("go");
  }

  /** Waits for the end. */
  async ended() {
    await this.#exited;
  }
}

/** Runs a child to its end and gives what it measured. */
export async function runChild(file, options, wrapper) {
  const child = new Child(file, options, wrapper);
  const measured = await child.message();
  await child.ended();
  return measured;
}
