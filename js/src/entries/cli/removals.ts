// The commands that change what is stored: copy, prune, expire, delete, delete-runs,
// vacuum.

import type {
  KeepOptions,
  LifecycleSaver,
  Progress,
  WorkOptions,
} from "../../langgraph/lifecycle-saver.js";
import { COMMON, countOf, durationOf, parsed, taken, timeOf } from "./arguments.js";
import { type Command, EXIT, type ExitCode, UsageError } from "./command.js";
import { plain, print, shownProgress, sizeOf } from "./output.js";
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
    const { positionals, values } = parsed(args, options);
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
    const { positionals, values } = parsed(args, KEEPING);
    const [store, ...ids] = taken(positionals, ["STORE", "THREAD"], Number.MAX_SAFE_INTEGER);
    const keep = keepOf(values);
    return remove(store, `Prune ${ids.length} threads?`, values, ids, (saver, options) => {
      return saver.prune(ids, { ...keep, ...options });
    });
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
    const { positionals, values } = parsed(args, options);
    const [store] = taken(positionals, ["STORE"]);
    const idleFor = durationOf("--idle-for", values["idle-for"]);
    const limit = values.limit === undefined ? undefined : countOf("--limit", values.limit);
    const keep = keepOf(values);
    return remove(store, "Prune the idle threads?", values, [], (saver, options) => {
      return saver.expire({ ...keep, idleFor, limit, ...options });
    });
  },
};

/** `delete`. */
export const deleting: Command = {
  usage: "delete STORE THREAD... [--dry-run] [--yes]",
  does: "deletes threads",
  async run(args) {
    const { positionals, values } = parsed(args, REMOVING);
    const [store, ...ids] = taken(positionals, ["STORE", "THREAD"], Number.MAX_SAFE_INTEGER);
    return remove(store, `Delete ${ids.length} threads?`, values, ids, (saver, options) => {
      return saver.prune(ids, { strategy: "delete", ...options });
    });
  },
};

/** `delete-runs`. */
export const deletingRuns: Command = {
  usage: "delete-runs STORE RUN... [--dry-run] [--yes]",
  does: "removes the checkpoints of runs, in all threads",
  async run(args) {
    const { positionals, values } = parsed(args, REMOVING);
    const [store, ...ids] = taken(positionals, ["STORE", "RUN"], Number.MAX_SAFE_INTEGER);
    const question = `Remove the checkpoints of ${ids.length} runs?`;
    let isNothing = false;
    const ended = await remove(store, question, values, [], async (saver, options) => {
      const done = await saver.deleteForRuns(ids, options);
      isNothing = done.threads === 0;
      return done;
    });
    if (!isNothing) return ended;
    console.error("there is nothing of these runs to remove");
    return EXIT.incomplete;
  },
};

/** `vacuum`. */
export const vacuum: Command = {
  usage: "vacuum STORE [--pages N]",
  does: "gives free pages of a SQLite file back to the file system",
  async run(args) {
    const options = { ...COMMON, pages: { type: "string" } } as const;
    const { positionals, values } = parsed(args, options);
    const [store] = taken(positionals, ["STORE"]);
    const pages = values.pages === undefined ? undefined : countOf("--pages", values.pages);
    const done = await onStore(store, values.schema, "write", (saver) => saver.vacuum({ pages }));
    print([done], values.json, { "given back": (row) => sizeOf(row.bytes) });
    return EXIT.done;
  },
};

interface Removing {
  readonly schema: string;
  readonly json: boolean;
  readonly "dry-run": boolean;
  readonly yes: boolean;
}

/** Removes what may be removed, and names those of the threads that do not exist. */
async function remove(
  store: string,
  question: string,
  { schema, json, "dry-run": dryRun, yes }: Removing,
  ids: readonly string[],
  run: (saver: LifecycleSaver, options: WorkOptions) => Promise<Progress>,
): Promise<ExitCode> {
  if (!(await isMeant(question, yes || dryRun))) return EXIT.incomplete;
  const missing: string[] = [];
  const done = await onStore(store, schema, dryRun ? "read" : "write", async (saver) => {
    for (const id of new Set(ids)) {
      if ((await saver.stats(id)).threads === 0) missing.push(id);
    }
    return run(saver, { dryRun, onProgress: shownProgress });
  });
  report(done, json);
  for (const id of missing) console.error(plain(`thread ${id} does not exist`));
  return missing.length > 0 ? EXIT.incomplete : EXIT.done;
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
