// The edge of a saver: arguments are read once, and every error that leaves has a code.

import type { RunnableConfig } from "@langchain/core/runnables";
import type {
  ChannelVersions,
  Checkpoint,
  CheckpointListOptions,
  PendingWrite,
} from "@langchain/langgraph-checkpoint";

import { CheckpointerError, InvalidInputError, ProtocolError } from "../errors.js";

/** Runs a method of a saver. Throws only `CheckpointerError`s. */
export async function guarded<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    throw withCode(thrown);
  }
}

/** The same for a method that yields several items. */
export async function* guardedEach<T>(run: () => AsyncGenerator<T>): AsyncGenerator<T> {
  const items = run();
  try {
    while (true) {
      const next = await guarded(() => items.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await items.return(undefined);
  }
}

/**
 * The error to throw to the caller: a `CheckpointerError` as it is, anything else as
 * `unexpected-failure`.
 */
export function withCode(thrown: unknown): CheckpointerError {
  if (thrown instanceof CheckpointerError) return thrown;
  return new ProtocolError(
    "unexpected-failure",
    "a call failed in a way that this package does not expect; see the error's cause, and " +
      "please report it",
    { cause: thrown },
  );
}

/** Reads an argument. Getters and revoked proxies may throw; that becomes `invalid-argument`. */
function given<T>(argument: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof CheckpointerError) throw thrown;
    throw new InvalidInputError(
      "invalid-argument",
      `reading the argument ${argument} threw an error, which is this error's cause; pass what ` +
        "LangGraph passes",
      { cause: thrown },
    );
  }
}

/** Refuses an argument of another type. `what` says what LangGraph passes. */
function expectType(is: boolean, argument: string, what: string): void {
  if (is) return;
  throw new InvalidInputError("invalid-argument", `${argument} is not ${what}; pass ${what}`);
}

/** A copy of a record of channels; empty if there is none. */
function channelsOf<Value>(
  argument: string,
  channels: Record<string, Value> | null | undefined,
): Record<string, Value> {
  const is = typeof (channels ?? {}) === "object" && !Array.isArray(channels);
  // A promise has no keys, and would store an empty state.
  expectType(is && !isThenable(channels), argument, "an object with a key for each channel");
  return { ...channels };
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** The ids of a config. That of the run is in its metadata, or else with the others. */
export function givenConfig(config: RunnableConfig | undefined): RunnableConfig {
  return given("config", () => {
    const configurable = config?.configurable ?? {};
    const { thread_id, checkpoint_ns, checkpoint_id, thread_ts } = configurable;
    const run_id: unknown = config?.metadata?.run_id ?? configurable.run_id;
    return { configurable: { thread_id, checkpoint_ns, checkpoint_id, thread_ts, run_id } };
  });
}

/** A copy of a checkpoint with copies of its records of channels. */
export function givenCheckpoint(checkpoint: Checkpoint): Checkpoint {
  return given("checkpoint", () => {
    const { channel_values, channel_versions, ...rest } = checkpoint;
    return {
      ...rest,
      channel_values: channelsOf("checkpoint.channel_values", channel_values),
      channel_versions: channelsOf("checkpoint.channel_versions", channel_versions),
    };
  });
}

/** A copy of the versions of the channels that changed, if the caller named them. */
export function givenVersions(versions: ChannelVersions | undefined): ChannelVersions | undefined {
  return given("newVersions", () => {
    return versions === undefined || versions === null
      ? undefined
      : channelsOf("newVersions", versions);
  });
}

/** A task's writes. */
export function givenWrites(writes: PendingWrite[]): PendingWrite[] {
  return given("writes", () => {
    const what = "an array of [channel, value] pairs";
    expectType(Array.isArray(writes) && writes.every(Array.isArray), "writes", what);
    return writes.map(([channel, value]) => [channel, value]);
  });
}

/** The arguments of `getDeltaChannelHistory`. */
export function givenHistory(options: { config: RunnableConfig; channels: string[] }) {
  return given("options", () => ({
    config: givenConfig(options.config),
    channels: Array.from(options.channels),
  }));
}

/** The options of `list`. */
export function givenOptions(options: CheckpointListOptions | undefined): CheckpointListOptions {
  return given("options", () => {
    const { limit, before, filter } = options ?? {};
    // A boxed number is one, too.
    expectType(typeof Object(limit ?? 0).valueOf() === "number", "options.limit", "a number");
    expectType(typeof (before ?? {}) === "object", "options.before", "a config");
    expectType(typeof (filter ?? {}) === "object", "options.filter", "an object");
    const read: CheckpointListOptions = { before: givenConfig(before), filter: { ...filter } };
    if (limit !== undefined && limit !== null) read.limit = Number(limit);
    return read;
  });
}
