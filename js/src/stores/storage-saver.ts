import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { PlannedSaver } from "../langgraph/saver.js";
import { checkOptions, checkSerde, SAVER, type SaverOptions } from "../options.js";
import type { Batch, RowSet, StorageAdapter, StoredCall } from "../planner/adapter.js";
import type { Call, Outcome } from "../planner/calls.js";
import { CheckedAdapter } from "../planner/checked-adapter.js";
import { drive } from "../planner/drive.js";
import { type Planner, sharedPlanner } from "../planner/planner.js";
import {
  expectOutcome,
  lateInside,
  type Made,
  type Repeat,
  type Runner,
} from "../planner/runner.js";
import { type Eventually, isPending, whenReady } from "../platform/maybe-promise.js";

/**
 * A LangGraph.js checkpointer over a storage adapter.
 *
 * Arguments are serialized before a method first waits, so LangGraph may go on to change them. A
 * promise resolves after what it stands for is committed. Calls take effect in their order.
 */
export class StorageSaver extends PlannedSaver {
  /** The storage adapter, its failures and answers looked at. */
  readonly adapter: StorageAdapter;

  /**
   * @param adapter Executes the batches.
   * @param serde Serializes the values; `JsonPlusSerde` when it is left out.
   * @param options What it may take to be unchanged, and how much it remembers.
   */
  constructor(adapter: StorageAdapter, serde?: SerializerProtocol, options: SaverOptions = {}) {
    checkSerde(serde);
    checkOptions(options, SAVER);
    const checked = new CheckedAdapter(adapter);
    super(new StorageRunner(checked, sharedPlanner(options.core)), serde, options);
    this.adapter = checked;
  }
}

/** Runs calls on a storage adapter, which it sets up. */
class StorageRunner implements Runner {
  readonly #planner: Planner;
  readonly #storage: CheckedAdapter;
  /** The adapter, behind the setting up. */
  readonly #ready: StorageAdapter;
  #setUp = false;
  #settingUp: Promise<void> | undefined;

  constructor(storage: CheckedAdapter, planner: Planner) {
    this.#planner = planner;
    this.#storage = storage;
    // A call the planner refuses is refused before anything is asked of the store, setting up
    // included: that is why it waits for the first batch.
    const { name, runCall } = storage;
    const run = (batch: Batch): Eventually<RowSet[]> => {
      return whenReady(this.#setup(false), () => storage.run(batch));
    };
    const runWhole = (call: StoredCall): Eventually<void> => {
      if (call.batch === undefined) return undefined;
      const setUp = this.#setup(call.isInside ?? false);
      if (isPending(setUp) && call.isInside) throw lateInside();
      return whenReady(setUp, () => runCall?.call(storage, call));
    };
    this.#ready = { name, run, runCall: runCall && runWhole };
  }

  get joined(): number {
    return this.#storage.joined;
  }

  get inTransaction(): boolean {
    return this.#storage.inTransaction;
  }

  get ordersCalls(): boolean {
    return this.#storage.runCall !== undefined;
  }

  run(call: Call, whole: Repeat | undefined, made: Made): Eventually<Outcome> {
    return drive(this.#planner, call, this.#setUp ? this.#storage : this.#ready, whole, made);
  }

  /** Makes the tables once. What failed, or may be undone, is done again at the next call. */
  #setup(isInside: boolean): Eventually<void> {
    if (this.#setUp) return undefined;
    if (this.#settingUp !== undefined) return this.#settingUp;
    const call = { tag: "setup" } as const;
    const made = { thread: undefined, isInside };
    const done = whenReady(
      drive(this.#planner, call, this.#storage, undefined, made),
      (outcome) => {
        expectOutcome(outcome, "ready");
      },
    );
    const ended = (isSetUp: boolean) => {
      this.#settingUp = undefined;
      this.#setUp = isSetUp;
    };
    if (!isPending(done)) return ended(!isInside);
    this.#settingUp = done;
    // The first to hear of it, so that no call overtakes those that wait for it.
    const heard = [() => ended(true), () => ended(false)] as const;
    done.then(...heard);
    return done;
  }
}
