// The commands that read: threads, namespaces, history, show, du, verify.

import type { CheckpointTuple } from "@langchain/langgraph-checkpoint";

import { ProtocolError } from "../../errors.js";
import { COMMON, countOf, parsed, taken, timeOf } from "./arguments.js";
import { type Command, EXIT, UsageError } from "./command.js";
import { plain, print, printJson, printPage, shownProgress, sizeOf } from "./output.js";
import { onStore } from "./store.js";

/** `threads`. */
export const threads: Command = {
  usage:
    "threads STORE [--limit N] [--after NEXT] [--prefix TEXT] [--idle-since TIME]\n" +
    "         [--meta KEY=VALUE]...",
  does: "lists threads, the one with the newest checkpoint first",
  async run(args) {
    const { positionals, values } = parsed(args, {
      ...COMMON,
      limit: { type: "string", default: "100" },
      after: { type: "string" },
      prefix: { type: "string" },
      "idle-since": { type: "string" },
      meta: { type: "string", multiple: true, default: [] },
    });
    const [store] = taken(positionals, ["STORE"]);
    let left = countOf("--limit", values.limit);
    const idle = values["idle-since"];
    const selected = {
      idPrefix: values.prefix,
      idleSince: idle === undefined ? undefined : timeOf("--idle-since", idle),
      metadata: Object.fromEntries(values.meta.map(condition)),
    };
    if (Object.keys(selected.metadata).length < values.meta.length) {
      throw new UsageError("--meta names a key twice");
    }
    let after = values.after === undefined ? undefined : Buffer.from(values.after, "base64url");
    const found = await onStore(store, values.schema, "read", async (saver) => {
      const page = (limit: number) => saver.threads({ ...selected, limit, after });
      const all = [];
      do {
        const { threads, next } = await page(Math.min(left, 1000)).catch(refusedAfter);
        all.push(...threads);
        left -= threads.length;
        after = next && Buffer.from(next);
      } while (after !== undefined && left > 0);
      // A full page says where the next one begins, even if it is empty.
      if (after !== undefined && (await page(1)).threads.length === 0) after = undefined;
      return all;
    });
    printPage(found, values.json, ["--after", after?.toString("base64url")], {
      thread: (thread) => thread.threadId,
      "last put": (thread) => thread.ts,
      step: ({ metadata }) => metadata.step ?? "",
      checkpoints: (thread) => thread.checkpoints,
      writes: (thread) => thread.writes,
      namespaces: (thread) => thread.namespaces,
      checkpoint: (thread) => thread.checkpointId,
    });
    return EXIT.done;
  },
};

/** `namespaces`. */
export const namespaces: Command = {
  usage: "namespaces STORE THREAD",
  does: "lists the namespaces of a thread, the root's and those of subgraphs; reads the thread",
  async run(args) {
    const { positionals, values } = parsed(args, COMMON);
    const [store, thread_id] = taken(positionals, ["STORE", "THREAD"]);
    const found = await onStore(store, values.schema, "read", async (saver) => {
      const all = new Map<string, Namespace>();
      for await (const { config, checkpoint } of saver.list({ configurable: { thread_id } })) {
        const namespace = String(config.configurable?.checkpoint_ns ?? "");
        const before = all.get(namespace);
        const { id: checkpointId, ts } = checkpoint;
        if (before === undefined)
          all.set(namespace, { namespace, checkpoints: 1, checkpointId, ts });
        else before.checkpoints += 1;
      }
      return [...all.values()];
    });
    if (found.length === 0) return notFound(thread_id);
    print(found, values.json, {
      namespace: (row) => row.namespace,
      "last put": (row) => row.ts,
      checkpoints: (row) => row.checkpoints,
      checkpoint: (row) => row.checkpointId,
    });
    return EXIT.done;
  },
};

interface Namespace {
  readonly namespace: string;
  checkpoints: number;
  readonly checkpointId: string;
  readonly ts: string;
}

/** `history`. */
export const history: Command = {
  usage: "history STORE THREAD [--ns NAMESPACE] [--limit N] [--before CHECKPOINT]",
  does: "lists the checkpoints of a thread, newest first",
  async run(args) {
    const { positionals, values } = parsed(args, {
      ...COMMON,
      ns: { type: "string", default: "" },
      limit: { type: "string", default: "100" },
      before: { type: "string" },
    });
    const [store, thread_id] = taken(positionals, ["STORE", "THREAD"]);
    const limit = countOf("--limit", values.limit);
    const found = await onStore(store, values.schema, "read", async (saver) => {
      const config = { configurable: { thread_id, checkpoint_ns: values.ns } };
      const before = { configurable: { checkpoint_id: values.before } };
      const rows = [];
      // One more says whether there are more.
      for await (const tuple of saver.list(config, { limit: limit + 1, before })) {
        rows.push(rowOf(tuple));
      }
      return rows;
    });
    const rows = found.slice(0, limit);
    if (rows.length === 0) return notFound(thread_id);
    const next = found.length > limit ? rows.at(-1)?.checkpointId : undefined;
    printPage(rows, values.json, ["--before", next], {
      checkpoint: (row) => row.checkpointId,
      put: (row) => row.ts,
      step: (row) => row.metadata.step ?? "",
      source: (row) => row.metadata.source ?? "",
      parent: (row) => row.parentId ?? "",
      channels: (row) => row.channels.join(" "),
      writes: (row) => row.writes,
    });
    return EXIT.done;
  },
};

/** `show`. */
export const show: Command = {
  usage: "show STORE THREAD [CHECKPOINT] [--ns NAMESPACE]",
  does: "prints a checkpoint, or the newest one, as data",
  async run(args) {
    const options = { ...COMMON, ns: { type: "string", default: "" } } as const;
    const { positionals, values } = parsed(args, options);
    const [store, thread_id, checkpoint_id] = taken(positionals, ["STORE", "THREAD"], 1);
    const tuple = await onStore(store, values.schema, "read", (saver) => {
      return saver.getTuple({
        configurable: { thread_id, checkpoint_ns: values.ns, checkpoint_id },
      });
    });
    if (tuple === undefined) return notFound(thread_id);
    const { checkpoint, metadata, parentConfig, pendingWrites } = tuple;
    const parentId = parentConfig?.configurable?.checkpoint_id;
    printJson({ checkpoint, metadata, parentId, pendingWrites }, values.json);
    return EXIT.done;
  },
};

/** `du`. */
export const du: Command = {
  usage: "du STORE [THREAD]",
  does: "counts what is stored, of a thread or of all",
  async run(args) {
    const { positionals, values } = parsed(args, COMMON);
    const [store, thread] = taken(positionals, ["STORE"], 1);
    const stats = await onStore(store, values.schema, "read", (saver) => saver.stats(thread));
    print([stats], values.json, {
      threads: (row) => row.threads,
      checkpoints: (row) => row.checkpoints,
      writes: (row) => row.writes,
      records: (row) => sizeOf(row.recordBytes),
      chunks: (row) => row.chunks,
      "in chunks": (row) => sizeOf(row.chunkBytes),
    });
    return stats.threads === 0 && thread !== undefined ? notFound(thread) : EXIT.done;
  },
};

/** `verify`. */
export const verify: Command = {
  usage: "verify STORE [THREAD]",
  does: "reads everything, and names what is damaged",
  async run(args) {
    const { positionals, values } = parsed(args, COMMON);
    const [store, thread] = taken(positionals, ["STORE"], 1);
    const { problems, ...read } = await onStore(store, values.schema, "read", (saver) => {
      return saver.verify(thread, { onProgress: shownProgress });
    });
    if (values.json) printJson({ ...read, problems }, true);
    else {
      print([read], false, {
        threads: (row) => row.threads,
        checkpoints: (row) => row.checkpoints,
        writes: (row) => row.writes,
        chunks: (row) => row.chunks,
        "in chunks": (row) => sizeOf(row.bytes),
        problems: () => problems.length,
      });
      for (const { code, message } of problems)
        process.stdout.write(plain(`${code}: ${message}\n`));
    }
    if (read.threads === 0 && thread !== undefined) return notFound(thread);
    return problems.length > 0 ? EXIT.incomplete : EXIT.done;
  },
};

/** Says which option was wrong if a page cannot begin where it should. */
function refusedAfter(thrown: unknown): never {
  if (!(thrown instanceof ProtocolError && thrown.code === "foreign-resume")) throw thrown;
  throw new UsageError("--after is not what a list of threads said");
}

/** A condition on metadata: `KEY=VALUE`, with JSON or text as the value. */
function condition(text: string): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("--meta takes KEY=VALUE");
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

function rowOf({ checkpoint, metadata, parentConfig, pendingWrites }: CheckpointTuple) {
  return {
    checkpointId: checkpoint.id,
    ts: checkpoint.ts,
    parentId: parentConfig?.configurable?.checkpoint_id as string | undefined,
    channels: Object.keys(checkpoint.channel_values),
    metadata: (metadata ?? {}) as Record<string, unknown>,
    writes: pendingWrites?.length ?? 0,
  };
}

/** Says that a thread, or what was asked for of it, is not stored. */
export function notFound(thread: string | undefined) {
  console.error(plain(`thread ${thread} has nothing like that`));
  return EXIT.incomplete;
}
