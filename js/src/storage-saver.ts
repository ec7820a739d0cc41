import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";

import type { Batch, RowSet, StorageAdapter } from "./adapters/adapter.js";
import { drive } from "./drive.js";
import { type Eventually, isPending, whenReady } from "./eventually.js";
import { type Call, type Outcome, type Planner, sharedPlanner } from "./guest.js";
import type { MemoryOptions } from "./options.js";
import { expectOutcome, type Runner } from "./runner.js";
import { PlannedSaver } from "./saver.js";

/**
 * A LangGraph.js checkpointer over a storage adapter.
 *
 * Arguments are serialized before a method first waits, so LangGraph may go on to change them. A
 * promise resolves after what it stands for is committed. Calls take effect in their order.
 */
export class StorageSaver extends PlannedSaver {
  /**
   * @param storage Executes the batches.
   * @param serde Serializes the values; `JsonPlusSerde` when it is left out.
   * @param options What it may take to be unchanged, and how much it remembers.
   */
  constructor(storage: StorageAdapter, serde?: SerializerProtocol, options: MemoryOptions = {}) {
    super(new StorageRunner(storage), serde, options);
  }
}

/** Runs calls on a storage adapter, which it sets up. */
class StorageRunner implements Runner {
  readonly #planner: Planner = sharedPlanner();
  readonly #storage: StorageAdapter;
  /** The adapter, behind the setting up. */
  readonly #ready: StorageAdapter;
  #setUp = false;
  #settingUp: Promise<void> | undefined;

  constructor(storage: StorageAdapter) {
    this.#storage = storage;
    // A call the planner refuses is refused before anything is asked of the store, setting up
    // included: that is why it waits for the first batch.
    this.#ready = {
      run: (batch: Batch): Eventually<RowSet[]> => {
        return whenReady(this.#setup(), () => storage.run(batch));
      },
    };
  }

  get joined(): number {
    return this.#storage.joined ?? 0;
  }

  run(call: Call): Eventually<Outcome> {
    return drive(this.#planner, call, this.#ready);
  }

  /** Makes the tables once. What failed, or may be undone, is done again at the next call. */
  #setup(): Eventually<void> {
    if (this.#setUp) return undefined;
    if (this.#settingUp !== undefined) return this.#settingUp;
    const { joined } = this;
    const done = whenReady(drive(this.#planner, { tag: "setup" }, this.#storage), (outcome) => {
      expectOutcome(outcome, "ready");
      this.#setUp = this.joined === joined;
    });
    if (!isPending(done)) return undefined;
    this.#settingUp = done.finally(() => {
      this.#settingUp = undefined;
    });
    return this.#settingUp;
  }
}
