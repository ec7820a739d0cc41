// What a store of this package has, checkpoint by checkpoint.

import type { Runner } from "../../langgraph/saver.js";
import { type Exported, expectOutcome } from "../../planner/contract.js";
import { sharedPlanner } from "../../planner/shared-planner.js";
import { ownCore } from "../../stores/postgres/core.js";
import { runnerBeside, type StorageSaver } from "../../stores/storage-saver.js";

/** Reads threads as they are stored. No value is revived, and one checkpoint is held at a time. */
export class StoredThreads {
  readonly #saver: StorageSaver;
  readonly #runner: Runner;

  constructor(saver: StorageSaver) {
    this.#saver = saver;
    this.#runner = runnerBeside(saver, sharedPlanner(saver.adapter.dialect, ownCore()));
  }

  /** How many threads there are. */
  async count(): Promise<number> {
    return (await this.#saver.stats()).threads;
  }

  /** Whether there is such a thread. */
  async exists(id: string): Promise<boolean> {
    return (await this.#saver.stats(id)).threads > 0;
  }

  /** The ids of all threads, the one with the newest checkpoint first. */
  async *ids(): AsyncGenerator<string> {
    let after: Uint8Array | undefined;
    do {
      const page = await this.#saver.threads({ limit: 1000, after });
      for (const { threadId } of page.threads) yield threadId;
      after = page.next;
    } while (after !== undefined);
  }

  /** What is stored of a thread, by namespace and checkpoint. */
  async *checkpoints(id: string): AsyncGenerator<Exported> {
    const thread = { tag: "text", val: id } as const;
    const made = { thread: undefined, isInside: false, due: "now", joins: true } as const;
    let resume: Uint8Array | undefined;
    while (true) {
      const call = { tag: "export", val: { thread, resume } } as const;
      const outcome = expectOutcome(await this.#runner.run(call, made), "exported");
      if (outcome.val === undefined) return;
      yield outcome.val;
      resume = outcome.val.next;
    }
  }
}
