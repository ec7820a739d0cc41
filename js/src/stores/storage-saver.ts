import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { lateInside } from "../errors.js";
import { PlannedSaver, type Runner } from "../langgraph/saver.js";
import { checkOptions, checkSerde, SAVER, type SaverOptions } from "../options.js";
import type { StorageAdapter } from "../planner/adapter.js";
import { blamed, CheckedAdapter } from "../planner/checked-adapter.js";
import {
  type Answer,
  type Call,
  expectOutcome,
  type Made,
  type Need,
  type Outcome,
  type Repeat,
} from "../planner/contract.js";
import { batchOf, drive, type Server } from "../planner/drive.js";
import type { Planner } from "../planner/planner.js";
import { sharedPlanner } from "../planner/shared-planner.js";
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

/** Serves what calls need with a storage adapter. */
export class StorageServer implements Server {
  readonly runCall: Server["runCall"];
  readonly #storage: StorageAdapter;

  constructor(storage: StorageAdapter) {
    this.#storage = storage;
    const { runCall } = storage;
    this.runCall = runCall && ((call) => runCall.call(storage, call));
  }

  serve(need: Need): Eventually<Answer> {
    return whenReady(this.#storage.run(batchOf(need)), (val) => ({ tag: "sql", val }));
  }

  explained(thrown: unknown): unknown {
    return blamed(thrown, this.#storage);
  }
}

/** The same, behind the setting up. */
class SetUpServer extends StorageServer {
  override readonly runCall: Server["runCall"];
  readonly #setup: (isInside: boolean) => Eventually<void>;

  constructor(storage: StorageAdapter, setup: (isInside: boolean) => Eventually<void>) {
    super(storage);
    this.#setup = setup;
    const { runCall } = storage;
    this.runCall =
      runCall &&
      ((call) => {
        // A call the planner refuses is refused before anything is asked of the store, setting up
        // included: that is why it waits for the first batch.
        if (call.batch === undefined) return undefined;
        const isSetUp = setup(call.isInside ?? false);
        if (isPending(isSetUp) && call.isInside) throw lateInside();
        return whenReady(isSetUp, () => runCall.call(storage, call));
      });
  }

  override serve(need: Need): Eventually<Answer> {
    return whenReady(this.#setup(false), () => super.serve(need));
  }
}

/** Runs calls on a storage adapter, which it sets up. */
class StorageRunner implements Runner {
  readonly #planner: Planner;
  readonly #storage: CheckedAdapter;
  readonly #server: Server;
  /** The server for as long as the tables may be missing. */
  readonly #setUpServer: Server;
  #setUp = false;
  #settingUp: Promise<void> | undefined;

  constructor(storage: CheckedAdapter, planner: Planner) {
    this.#planner = planner;
    this.#storage = storage;
    this.#server = new StorageServer(storage);
    this.#setUpServer = new SetUpServer(storage, (isInside) => this.#setup(isInside));
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

  run(call: Call, made: Made, whole?: Repeat): Eventually<Outcome> {
    return drive(this.#planner, call, this.#setUp ? this.#server : this.#setUpServer, made, whole);
  }

  /** Makes the tables once. What failed, or may be undone, is done again at the next call. */
  #setup(isInside: boolean): Eventually<void> {
    if (this.#setUp) return undefined;
    if (this.#settingUp !== undefined) return this.#settingUp;
    const call = { tag: "setup" } as const;
    const made = { thread: undefined, isInside, due: "now", joins: false } as const;
    const done = whenReady(drive(this.#planner, call, this.#server, made), (outcome) => {
      expectOutcome(outcome, "ready");
    });
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
