// The transcripts' calls about whole threads.

import { fromIds, fromTuple, toId } from "../langgraph/convert.js";
import type { Difference, Part } from "../langgraph/difference.js";
import type { KeepOptions, LifecycleSaver } from "../langgraph/lifecycle-saver.js";
import type * as contract from "../planner/contract.js";
import { type Fields, idsOf, written, writtenValue } from "./written.js";

/** A call in a transcript: its name, and the arguments that it has. */
export interface Call {
  readonly name: string;
  readonly config: Fields;
  readonly checkpoint: Fields & { readonly channel_values: Fields };
  readonly metadata: unknown;
  readonly new_versions: readonly string[];
  readonly writes: readonly (readonly [string, unknown])[];
  readonly task_id: string;
  readonly task_path?: string;
  readonly limit?: number;
  readonly before?: string;
  readonly filter?: Fields;
  readonly channels: string[];
  readonly threads: string[];
  readonly runs: string[];
  readonly keep: "latest" | "nothing" | { readonly last?: number; readonly newer_than?: string };
  readonly dry_run?: boolean;
  readonly source: string;
  readonly target: string;
  readonly latest_only?: boolean;
  readonly idle_since?: string;
  readonly id_prefix?: string;
  readonly thread_id?: string;
  readonly values?: boolean;
}

/** Makes a call about whole threads, and returns its outcome in the transcript's form. */
export async function performOnThreads(saver: LifecycleSaver, call: Call): Promise<unknown> {
  switch (call.name) {
    case "prune":
      return { work: await saver.prune(call.threads, { ...keepOf(call), dryRun: call.dry_run }) };
    case "delete_for_runs":
      return { work: await saver.deleteForRuns(call.runs) };
    case "copy_thread": {
      const keep = call.latest_only === true ? "latest" : undefined;
      return { work: await saver.copyThread(call.source, call.target, { keep }) };
    }
    case "threads": {
      const { limit, idle_since, id_prefix, metadata } = call;
      const found: Fields[] = [];
      let after: Uint8Array | undefined;
      do {
        const page = await saver.threads({
          limit,
          after,
          idPrefix: id_prefix,
          idleSince: idle_since === undefined ? undefined : new Date(idle_since),
          metadata: metadata as Fields | undefined,
        });
        found.push(...page.threads.map(snakeCase));
        after = page.next;
      } while (after !== undefined);
      return { threads: found };
    }
    case "stats":
      return { stats: snakeCase(await saver.stats(call.thread_id)) };
    case "diff": {
      const { before, values } = call;
      const found = await saver.diff({ configurable: call.config }, { before, values });
      return { difference: found === undefined ? null : difference(found) };
    }
    case "export":
      return { exported: await exportedOf(saver, call.thread_id) };
    default:
      throw new TypeError(`${call.name} is no call`);
  }
}

function keepOf({ keep }: Call): KeepOptions {
  if (keep === "latest") return {};
  if (keep === "nothing") return { strategy: "delete" };
  if (keep.last !== undefined) return { keepLast: keep.last };
  return { newerThan: new Date(keep.newer_than ?? "") };
}

/** A channel or an element on both sides of a comparison. */
interface Sides {
  readonly before?: Part | undefined;
  readonly after?: Part | undefined;
}

function difference({ before, channels, writes }: Difference): Fields {
  const part = (given: Part | undefined) => {
    return given && { ...given, ...("value" in given && { value: writtenValue(given.value) }) };
  };
  const both = ({ before, after }: Sides) => {
    return { before: part(before), after: part(after) };
  };
  return present({
    before,
    channels: channels.map(({ elements, ...channel }) => {
      const named = elements?.map((element) => present({ ...element, ...both(element) }));
      return present(snakeCase({ ...channel, ...both(channel), elements: named }));
    }),
    writes: writes.map(({ value, ...write }) => ({ ...snakeCase(write), value: part(value) })),
  });
}

/** Everything that an export of a thread, or of all, gives. No saver has a method for it. */
async function exportedOf(saver: LifecycleSaver, threadId: string | undefined): Promise<Fields[]> {
  const { runStepwise } = saver as unknown as Stepwise;
  const all: Fields[] = [];
  let resume: Uint8Array | undefined;
  while (true) {
    const val = { thread: toId("thread_id", threadId), resume };
    const { val: found } = await runStepwise.call(saver, { tag: "export", val }, "exported");
    if (found === undefined) return all;
    const tuple = found.checkpoint && (await tupleOf(saver, found.checkpoint));
    const { pending_writes: _, ...fields } =
      tuple === undefined ? ({ checkpoint: null } as Fields) : written(tuple);
    const { threadId: thread, checkpointNs, checkpointId } = found;
    const writes = found.writes.map(async ({ taskId, taskPath, idx, channel, value }) => {
      const loaded = await saver.serde.loadsTyped(value.kind, value.bytes);
      return [taskId, taskPath, idx, channel, writtenValue(loaded)];
    });
    all.push({
      ...fields,
      config: idsOf(fromIds(thread, checkpointNs, checkpointId)),
      writes: await Promise.all(writes),
    });
    resume = found.next;
  }
}

interface Stepwise {
  runStepwise(call: contract.Call, tag: "exported"): Promise<contract.OutcomeOf<"exported">>;
}

async function tupleOf(saver: LifecycleSaver, tuple: contract.CheckpointTuple) {
  const values = tuple.channelValues.map(({ value }) => {
    if (value.tag !== "whole") throw new TypeError("an export gives whole values");
    return saver.serde.loadsTyped(value.val.kind, value.val.bytes);
  });
  const next = () => 1;
  return fromTuple(saver.serde, tuple, await Promise.all(values), next);
}

/** The fields that are there. */
function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The same fields, named as in Python. */
function snakeCase(fields: object): Fields {
  const entries = Object.entries(fields).map(([name, value]) => {
    return [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value] as const;
  });
  return Object.fromEntries(entries);
}
