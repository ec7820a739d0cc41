// The commands that change what is stored: copy, prune, expire, delete, vacuum.

import { parseArgs } from "node:util";

import type { KeepOptions, Progress } from "../../langgraph/lifecycle-saver.js";
import { COMMON, countOf, taken, timeOf } from "./arguments.js";
import { type Command, EXIT, type ExitCode, UsageError } from "./command.js";
import { print, shownProgress, sizeOf } from "./output.js";
import { isMeant, onStore } from "./store.js";

const REMOVING = {
  ...COMMON,
  "dry-run": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
} as const;
const KEEPING = {
  ...REMOVING,
  strategy: { type: "string", default: "keep_latest" },
  "keep-last": { type: "string" },
  "newer-than": { type: "string" },
} as const;
const KEEP_USAGE = "[--strategy delete | --keep-last N | --newer-than TIME] [--dry-run] [--yes]";

/** `copy`. */
export const copy: Command = {
  usage: "copy STORE THREAD NEW-THREAD [--latest]",
  does: "copies a thread, or its latest state alone",
  async run(args) {
    const options = { ...COMMON, latest: { type: "boolean", default: false } } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [store, source = "", target = ""] = taken(positionals, ["STORE", "THREAD", "NEW-THREAD"]);
    const done = await onStore(store, values.schema, "write", (saver) => {
      return saver.copyThread(source, target, { keep: values.latest ? "latest" : undefined });
    });
    return report(done, values.json);
  },
};

/** `prune`. */
export const prune: Command = {
  usage: `prune STORE THREAD... ${KEEP_USAGE}`,
  does: "removes the older checkpoints of threads; keeps the latest if nothing else is said",
  async run(args) {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: KEEPING });
    const [store, ...ids] = taken(positionals, ["STORE", "THREAD"], Number.MAX_SAFE_INTEGER);
    const keep = keepOf(values);
    if (!(await mayRemove(`Prune ${ids.length} threads?`, values))) return EXIT.incomplete;
    const dryRun = values["dry-run"];
    const done = await onStore(store, values.schema, dryRun ? "read" : "write", (saver) => {
      return saver.prune(ids, { ...keep, dryRun, onProgress: shownProgress });
    });
    return report(done, values.json);
  },
};

/** `expire`. */
export const expire: Command = {
  usage: `expire STORE --idle-for DURATION [--limit N] ${KEEP_USAGE}`,
  does: "prunes the threads that nobody has used for so long: 90m, 12h, 30d",
  async run(args) {
    const options = {
      ...KEEPING,
      "idle-for": { type: "string" },
      limit: { type: "string" },
    } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [store] = taken(positionals, ["STORE"]);
    const idleFor = durationOf(values["idle-for"]);
    const limit = values.limit === undefined ? undefined : countOf("--limit", values.limit);
    const keep = keepOf(values);
    if (!(await mayRemove("Prune the idle threads?", values))) return EXIT.incomplete;
    const dryRun = values["dry-run"];
    const done = await onStore(store, values.schema, dryRun ? "read" : "write", (saver) => {
      return saver.expire({ ...keep, idleFor, limit, dryRun, onProgress: shownProgress });
    });
    return report(done, values.json);
  },
};

/** `delete`. */
export const deleting: Command = {
  usage: "delete STORE THREAD... [--dry-run] [--yes]",
  does: "deletes threads",
  async run(args) {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: REMOVING });
    const [store, ...ids] = taken(positionals, ["STORE", "THREAD"], Number.MAX_SAFE_INTEGER);
    if (!(await mayRemove(`Delete ${ids.length} threads?`, values))) return EXIT.incomplete;
    const dryRun = values["dry-run"];
    const done = await onStore(store, values.schema, dryRun ? "read" : "write", (saver) => {
      return saver.prune(ids, { strategy: "delete", dryRun, onProgress: shownProgress });
    });
    report(done, values.json);
    const missing = new Set(ids).size - done.threads;
    if (missing > 0) console.error(`${missing} of the threads did not exist`);
    return missing > 0 ? EXIT.incomplete : EXIT.done;
  },
};

/** `vacuum`. */
export const vacuum: Command = {
  usage: "vacuum STORE [--pages N]",
  does: "gives free pages of a SQLite file back to the file system",
  async run(args) {
    const options = { ...COMMON, pages: { type: "string" } } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [store] = taken(positionals, ["STORE"]);
    const pages = values.pages === undefined ? undefined : countOf("--pages", values.pages);
    const done = await onStore(store, values.schema, "write", (saver) => saver.vacuum({ pages }));
    print([done], values.json, { "given back": (row) => sizeOf(row.bytes) });
    return EXIT.done;
  },
};

function mayRemove(question: string, values: { "dry-run": boolean; yes: boolean }) {
  return isMeant(question, values.yes || values["dry-run"]);
}

interface Keeping {
  readonly strategy: string;
  readonly "keep-last"?: string | undefined;
  readonly "newer-than"?: string | undefined;
}

function keepOf(values: Keeping): KeepOptions {
  const { strategy, "keep-last": last, "newer-than": time } = values;
  if (last !== undefined && time !== undefined) {
    throw new UsageError("--keep-last and --newer-than exclude each other");
  }
  if (!["keep_latest", "delete", "delete_all"].includes(strategy)) {
    throw new UsageError("--strategy is not keep_latest or delete");
  }
  if (strategy !== "keep_latest" && (last ?? time) !== undefined) {
    throw new UsageError("--keep-last and --newer-than are for the strategy keep_latest");
  }
  return {
    strategy: strategy as KeepOptions["strategy"],
    keepLast: last === undefined ? undefined : countOf("--keep-last", last),
    newerThan: time === undefined ? undefined : timeOf("--newer-than", time),
  };
}

/** Milliseconds. */
function durationOf(text: string | undefined): number {
  const [, count, unit] = /^(\d{1,9})([mhd])$/.exec(text ?? "") ?? [];
  if (count === undefined) throw new UsageError("--idle-for takes a duration: 90m, 12h, 30d");
  return Number(count) * (unit === "m" ? 60_000 : unit === "h" ? 3_600_000 : 86_400_000);
}

function report(done: Progress, json: boolean): ExitCode {
  print([done], json, {
    threads: (row) => row.threads,
    checkpoints: (row) => row.checkpoints,
    writes: (row) => row.writes,
    chunks: (row) => row.chunks,
    "in chunks": (row) => sizeOf(row.bytes),
  });
  return EXIT.done;
}
