import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { CheckpointerError, lateInside } from "../errors.js";
import { LifecycleSaver } from "../langgraph/lifecycle-saver.js";
import type { Runner } from "../langgraph/saver.js";
import { Sweeper } from "../langgraph/sweeper.js";
import { checkOptions, checkSerde, checkTtl, SAVER, type SaverOptions } from "../options.js";
import type { StorageAdapter } from "../planner/adapter.js";
import { CheckedAdapter, withAdapterNamed } from "../planner/checked-adapter.js";
import {
  type Answer,
  type Call,
  type Ended,
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
import { emitWarning } from "../platform/runtime.js";
import { timers } from "../platform/timers.js";
import { JoinedCalls } from "./joined-calls.js";
import { Lanes } from "./lanes.js";

/**
 * A LangGraph.js checkpointer over a storage adapter.
 *
 * Arguments are serialized before a method first waits, so the caller may change them afterwards. A
 * promise resolves after the call is committed. Calls take effect in the order they are made.
 */
export class StorageSaver extends LifecycleSaver {
  /** The storage adapter, wrapped so that its failures and answers are checked. */
  readonly adapter: StorageAdapter;
  readonly #sweeper: Sweeper | undefined;

  /**
   * @param adapter Executes the batches.
   * @param serde Serializes the values. Defaults to `JsonPlusSerde`.
   * @param options The other options.
   */
  constructor(adapter: StorageAdapter, serde?: SerializerProtocol, options: SaverOptions = {}) {
    checkSerde(serde);
    checkOptions(options, SAVER);
    checkTtl(options.ttl);
    const checked = new CheckedAdapter(adapter);
    const planner = sharedPlanner(checked.dialect, options.core);
    super(new StorageRunner(checked, planner, warn), serde, options);
    this.adapter = checked;
    const failed = (thrown: unknown) => warn(`a sweep of idle threads failed: ${reasonOf(thrown)}`);
    this.#sweeper = options.ttl && new Sweeper(options.ttl, (sweep) => this.sweep(sweep), failed);
  }

  /** Ends the sweeps of the option `ttl`, and resolves when none is under way. */
  protected async stopSweeping(): Promise<void> {
    this.#sweeper?.stop();
    await this.#sweeper?.ended;
  }
}

/** Runs calls where a saver stores, but without its cache and its warnings. */
export function runnerBeside(saver: StorageSaver, planner: Planner): Runner {
  return new StorageRunner(new CheckedAdapter(saver.adapter), planner, () => {});
}

/** Why a sweep failed: the code of an error of ours, which is safe to show. */
function reasonOf(thrown: unknown): string {
  return thrown instanceof CheckpointerError ? `${thrown.code}: ${thrown.message}` : "unknown";
}

function warn(warning: string): void {
  emitWarning(warning, "CheckpointerWarning");
}

/** Serves the needs of calls with a storage adapter. */
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
    return withAdapterNamed(thrown, this.#storage);
  }
}

/** The same, but sets the store up before the first batch. */
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
        // A call that the planner refuses must not touch the store, not even to set it up. So the
        // setup waits until the call has a batch.
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

/** Runs calls on a storage adapter and sets it up. */
class StorageRunner implements Runner {
  readonly #planner: Planner;
  readonly #storage: CheckedAdapter;
  readonly #server: Server;
  /** The server to use while the tables may be missing. */
  readonly #setUpServer: Server;
  /** Orders the calls and joins their batches, for an adapter that leaves that to the saver. */
  readonly #lanes: Lanes | undefined;
  readonly #warn: (warning: string) => void;
  #setUp = false;
  #settingUp: Promise<void> | undefined;

  constructor(storage: CheckedAdapter, planner: Planner, warn: (warning: string) => void) {
    this.#planner = planner;
    this.#warn = warn;
    this.#storage = storage;
    this.#server = new StorageServer(storage);
    this.#setUpServer = new SetUpServer(storage, (isInside) => this.#setup(isInside));
    if (!storage.joinsCalls) return;
    this.#lanes = new Lanes({
      one: (call) => this.#run(call),
      together: (calls) => this.#runTogether(calls),
    });
  }

  get joined(): number {
    return this.#storage.joined;
  }

  get inTransaction(): boolean {
    return this.#storage.inTransaction;
  }

  get ordersCalls(): boolean {
    return this.#storage.runCall !== undefined || this.#lanes !== undefined;
  }

  run(call: Call, made: Made, whole?: Repeat): Eventually<Outcome> {
    return this.#lanes?.run(call, made, whole) ?? this.#run(call, made, whole);
  }

  async runStepwise(call: Call): Promise<Outcome> {
    await this.#setup(false);
    const server: Server = {
      serve: async (need) => {
        // Between two batches the calls that wait have their turn.
        await new Promise<void>((resolve) => timers.setImmediate(resolve));
        return this.#server.serve(need);
      },
      explained: (thrown) => this.#server.explained(thrown),
    };
    return drive(this.#planner, call, server);
  }

  #run(call: Call, made?: Made, whole?: Repeat): Eventually<Outcome> {
    return drive(this.#planner, call, this.#setUp ? this.#server : this.#setUpServer, made, whole);
  }

  /** Runs calls of a thread, and joins their write batches. */
  async #runTogether(calls: readonly Call[]): Promise<readonly Ended[]> {
    const joined = new JoinedCalls(this.#storage, () => this.#setup(false));
    const server: Server = {
      serve: (need) => this.#server.serve(need),
      explained: (thrown) => this.#server.explained(thrown),
      runCall: (call) => joined.add(call),
    };
    const ended = calls.map(async (call): Promise<Ended> => {
      try {
        return { outcome: await drive(this.#planner, call, server) };
      } catch (failure) {
        return { failure };
      }
    });
    await joined.run();
    return Promise.all(ended);
  }

  /**
   * Creates the tables once. If that fails, or happens in a transaction that may be rolled back,
   * the next call does it again.
   */
  #setup(isInside: boolean): Eventually<void> {
    if (this.#setUp) return undefined;
    if (this.#settingUp !== undefined) return this.#settingUp;
    const call = { tag: "setup" } as const;
    const made = { thread: undefined, isInside, due: "now", joins: false } as const;
    const done = whenReady(drive(this.#planner, call, this.#server, made), (outcome) => {
      const { val: warning } = expectOutcome(outcome, "ready");
      if (warning !== undefined) this.#warn(warning);
    });
    const ended = (isSetUp: boolean) => {
      this.#settingUp = undefined;
      this.#setUp = isSetUp;
    };
    if (!isPending(done)) return ended(!isInside);
    this.#settingUp = done;
    // Attached first, so that no later call overtakes those that wait for the setup.
    const heard = [() => ended(true), () => ended(false)] as const;
    done.then(...heard);
    return done;
  }
}
