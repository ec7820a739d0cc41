// The edge of a saver: what comes in is read once, and every error that goes out has a code.

import type { RunnableConfig } from "@langchain/core/runnables";
import type {
  ChannelVersions,
  Checkpoint,
  CheckpointListOptions,
  PendingWrite,
} from "@langchain/langgraph-checkpoint";

import { CheckpointerError, InvalidInputError, ProtocolError } from "../errors.js";

/** Runs a call of a saver's. */
export async function guarded<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    throw withCode(thrown);
  }
}

/** The same for what comes one by one. */
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

/** The error that a call ends in, for what was thrown. */
export function withCode(thrown: unknown): CheckpointerError {
  if (thrown instanceof CheckpointerError) return thrown;
  return new ProtocolError(
    "unexpected-failure",
    "a call failed in a way that this package does not expect; see the error's cause, and " +
      "please report it",
    { cause: thrown },
  );
}

/** What reading an argument gives. Reading may throw, as a getter does, or a revoked proxy. */
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

/** The ids of a config. */
export function givenConfig(config: RunnableConfig | undefined): RunnableConfig {
  return given("config", () => {
    const { thread_id, checkpoint_ns, checkpoint_id, thread_ts } = config?.configurable ?? {};
    return { configurable: { thread_id, checkpoint_ns, checkpoint_id, thread_ts } };
  });
}

/** A checkpoint with its channels. */
export function givenCheckpoint(checkpoint: Checkpoint): Checkpoint {
  return given("checkpoint", () => {
    const { channel_values, channel_versions, ...rest } = checkpoint;
    return {
      ...rest,
      channel_values: { ...channel_values },
      channel_versions: { ...channel_versions },
    };
  });
}

/** The versions of the channels that changed, where they are said. */
export function givenVersions(versions: ChannelVersions | undefined): ChannelVersions | undefined {
  return given("newVersions", () => versions && { ...versions });
}

/** A task's writes. */
export function givenWrites(writes: PendingWrite[]): PendingWrite[] {
  return given("writes", () => Array.from(writes, ([channel, value]) => [channel, value]));
}

/** What a history is asked of. */
export function givenHistory(options: { config: RunnableConfig; channels: string[] }) {
  return given("options", () => ({
    config: givenConfig(options.config),
    channels: Array.from(options.channels),
  }));
}

/** How checkpoints are listed. */
export function givenOptions(options: CheckpointListOptions | undefined): CheckpointListOptions {
  return given("options", () => {
    const { limit, before, filter } = options ?? {};
    const read: CheckpointListOptions = { before: givenConfig(before), filter: { ...filter } };
    if (limit !== undefined && limit !== null) read.limit = Number(limit);
    return read;
  });
}
