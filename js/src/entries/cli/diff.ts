// `diff`: what differs between two checkpoints.

import type { Difference, Part } from "../../langgraph/difference.js";
import { COMMON, parsed, taken } from "./arguments.js";
import { type Command, EXIT } from "./command.js";
import { plain, print, printJson, sizeOf } from "./output.js";
import { onStore } from "./store.js";

/** The command. */
export const diff: Command = {
  usage: "diff STORE THREAD CHECKPOINT [BEFORE] [--ns NAMESPACE] [--values]",
  does: "shows what a superstep changed: compares a checkpoint with its parent, or with BEFORE",
  async run(args) {
    const options = {
      ...COMMON,
      ns: { type: "string", default: "" },
      values: { type: "boolean", default: false },
    } as const;
    const { positionals, values } = parsed(args, options);
    const names = ["STORE", "THREAD", "CHECKPOINT"];
    const [store, thread_id, checkpoint_id, before] = taken(positionals, names, 1);
    const found = await onStore(store, values.schema, "read", (saver) => {
      const configurable = { thread_id, checkpoint_ns: values.ns, checkpoint_id };
      return saver.diff({ configurable }, { before, values: values.values });
    });
    if (found === undefined) {
      console.error(`thread ${plain(thread_id ?? "")} lacks one of the two checkpoints`);
      return EXIT.incomplete;
    }
    if (values.json) printJson(found, true);
    else show(found, values.values);
    return EXIT.done;
  },
};

/** A line of the table. */
interface Row {
  readonly what: string;
  readonly channel: string;
  readonly place: number | string;
  readonly version: string;
  readonly before: Part | undefined;
  readonly after: Part | undefined;
}

function show(found: Difference, withValues: boolean): void {
  const size = (part: Part | undefined) => (part === undefined ? "" : sizeOf(part.bytes));
  const value = ({ before, after }: Row) => (after ?? before)?.value ?? "";
  print(rowsOf(found), false, {
    what: (row) => row.what,
    channel: (row) => row.channel,
    place: (row) => row.place,
    version: (row) => row.version,
    before: (row) => size(row.before),
    after: (row) => size(row.after),
    ...(withValues && { value }),
  });
}

function rowsOf({ channels, writes }: Difference): Row[] {
  const ofChannels = channels.flatMap(({ channel, versionBefore, versionAfter, ...found }) => {
    const { before, after, elements } = found;
    const version =
      versionBefore === versionAfter ? "" : `${versionBefore ?? ""} -> ${versionAfter ?? ""}`;
    const isSame = elements?.length === 0 || (before === undefined && after === undefined);
    const what = isSame ? "same value" : changeOf(before, after);
    const inside = (elements ?? []).map((element) => ({
      what: `  ${changeOf(element.before, element.after)}`,
      channel,
      place: element.place ?? "?",
      version: "",
      before: element.before,
      after: element.after,
    }));
    return [{ what, channel, place: "", version, before, after }, ...inside];
  });
  const ofWrites = writes.map(({ taskId, channel, value }) => {
    return { what: "write", channel, place: taskId, version: "", before: undefined, after: value };
  });
  return [...ofChannels, ...ofWrites];
}

function changeOf(before: Part | undefined, after: Part | undefined): string {
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}
