// Where threads are imported to.

import type { Runner } from "../../langgraph/saver.js";
import {
  type Call,
  type CheckpointTuple,
  expectOutcome,
  type Outcome,
} from "../../planner/contract.js";
import { sharedPlanner } from "../../planner/shared-planner.js";
import type { Address, TakeoverCall } from "../../planner/takeover.js";
import type { Eventually } from "../../platform/maybe-promise.js";
import { ownCore } from "../../stores/postgres/core.js";
import { runnerBeside } from "../../stores/storage-saver.js";
import { type Opened, openToWrite } from "./drivers.js";
import { isPostgres, named, refuseAddress } from "./location.js";
import { NoStore, openToLookAt } from "./store.js";

const ABSENT = { tag: "absent" } as const;

/** A store that calls are made on. */
export class Target {
  readonly #location: string;
  readonly #runner: Runner;
  readonly #close: () => Eventually<unknown>;

  constructor(location: string, { saver, close }: Opened) {
    this.#location = location;
    this.#runner = runnerBeside(saver, sharedPlanner(saver.adapter.dialect, ownCore()));
    this.#close = () => close();
  }

  /** Makes the tables if they are missing. Fails if the target cannot be used. */
  async setUp(): Promise<void> {
    await named(this.#location, async () => {
      await this.#runner.runStepwise({ tag: "threads", val: { limit: 0, filter: [] } });
    });
  }

  /** Stores a checkpoint or writes. Returns what is known of the checkpoint's namespace then. */
  async store(call: TakeoverCall, known: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    if (call.tag === "put-writes") {
      expectOutcome(await this.#run(call), "writes-stored");
      return known;
    }
    const put = { tag: "put", val: { ...call.val, known } } as const;
    return expectOutcome(await this.#run(put), "stored").val.known;
  }

  /** Reads a checkpoint; undefined if it is not stored. */
  async read([threadId, checkpointNs, checkpointId]: Address): Promise<
    CheckpointTuple | undefined
  > {
    const config = toConfig(threadId, checkpointNs, checkpointId);
    const outcome = await this.#run({ tag: "get-tuple", val: { config } });
    return expectOutcome(outcome, "found").val?.tuple;
  }

  /** The newest checkpoint of a thread in any namespace; undefined if there is none. */
  async newest(threadId: string): Promise<CheckpointTuple | undefined> {
    const config = toConfig(threadId);
    const val = { config, limit: 1, before: ABSENT, filter: [] };
    return expectOutcome(await this.#run({ tag: "list", val }), "page").val.tuples[0];
  }

  async close(): Promise<void> {
    await this.#close();
  }

  #run(call: Call): Promise<Outcome> {
    const made = { thread: undefined, isInside: false, due: "now", joins: true } as const;
    return named(this.#location, () => this.#runner.run(call, made));
  }
}

/** A store that stays as it is. It may be missing. A call that it would refuse is refused. */
class UnchangedTarget extends Target {
  override async setUp(): Promise<void> {
    await unlessMissing(super.setUp());
  }

  override async store(call: TakeoverCall, known: Uint8Array | undefined) {
    await unlessMissing(super.store(call, known));
    return known;
  }

  override read(address: Address) {
    return unlessMissing(super.read(address));
  }

  override newest(threadId: string) {
    return unlessMissing(super.newest(threadId));
  }
}

/** What a call gives; undefined if it would write, or make the tables. */
async function unlessMissing<T>(done: Promise<T>): Promise<T | undefined> {
  try {
    return await done;
  } catch (thrown) {
    if (thrown instanceof NoStore) return undefined;
    throw thrown;
  }
}

function toConfig(threadId: string, checkpointNs?: string, checkpointId?: string) {
  const toId = (val: string | undefined) => {
    return val === undefined ? ABSENT : ({ tag: "text", val } as const);
  };
  return {
    threadId: toId(threadId),
    checkpointNs: toId(checkpointNs),
    checkpointId: toId(checkpointId),
    threadTs: ABSENT,
  };
}

/**
 * Opens a target: a file of SQLite, which is made if it is missing, or PostgreSQL. In a dry run it
 * stays as it is.
 */
export async function openTarget(location: string, schema: string, isDry = false): Promise<Target> {
  if (isDry) return new UnchangedTarget(location, await openToLookAt(location, schema));
  return new Target(location, await openSaver(location, schema));
}

/** Opens a saver on a target, and says how to close it. */
export async function openSaver(location: string, schema: string): Promise<Opened> {
  if (isPostgres(location)) {
    const { PostgresSaver } = await import("../postgres.js");
    const saver = PostgresSaver.fromConnString(location, { schema });
    return { saver, close: () => saver.end() };
  }
  refuseAddress(location);
  // A loss of power may undo the last commits; the command is run again then.
  return named(location, () => openToWrite(location, { synchronous: "normal", cacheBytes: 0 }));
}
