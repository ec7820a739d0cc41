// `export`: stores threads as LangGraph's own savers do, or as lines of JSON.

import {
  closeSync,
  createWriteStream,
  existsSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from "node:fs";
import { finished } from "node:stream/promises";

import { CorruptError } from "../../errors.js";
import type { Language } from "../../planner/takeover.js";
import { SCHEMA } from "../../stores/postgres/options.js";
import type { StorageSaver } from "../../stores/storage-saver.js";
import { COMMON, parsed, taken } from "./arguments.js";
import { type Command, EXIT, UsageError } from "./command.js";
import { ExportReport } from "./export-report.js";
import { giveBack } from "./give-back.js";
import { lineOf } from "./json-lines.js";
import { isPostgres } from "./location.js";
import { plain, toJson } from "./output.js";
import { StockTables } from "./stock-tables.js";
import { onStore } from "./store.js";
import { StoredThreads } from "./stored.js";
import { isAnsweredYes, isAtTerminal } from "./terminal.js";

const OPTIONS = {
  ...COMMON,
  layout: { type: "string", default: "js" },
  jsonl: { type: "boolean", default: false },
  thread: { type: "string", multiple: true },
  yes: { type: "boolean", default: false },
  "source-schema": { type: "string", default: SCHEMA },
} as const;

/** The standard output as a target. */
const STDOUT = "-";

/** Exports one thread. */
type ExportOne = (id: string) => Promise<void>;

/** The command. */
export const exporting: Command = {
  usage:
    "export SOURCE TARGET [--layout js|python] [--jsonl] [--thread ID]... [--yes]\n" +
    "         [--source-schema NAME] [--schema NAME]",
  does:
    "stores threads in tables of LangGraph's own savers, JavaScript's or Python's; with --jsonl\n" +
    "      as lines of JSON, in a file or on - (the standard output)",
  async run(args) {
    const { positionals, values } = parsed(args, OPTIONS);
    const [source, target = ""] = taken(positionals, ["SOURCE", "TARGET"]);
    const { layout, jsonl, json, schema } = values;
    if (!isLayout(layout)) throw new UsageError("--layout takes js or python");
    if (target === STDOUT && !jsonl) throw new UsageError("only --jsonl goes to -");
    if (jsonl && target !== STDOUT) checkReplaced(target);
    if (!values.yes && !(await isMeant(target, jsonl))) return EXIT.incomplete;
    const report = new ExportReport();
    const read = async (saver: StorageSaver) => {
      const threads = new StoredThreads(saver);
      const named = values.thread && new Set(values.thread);
      // A source that is no store is refused before the target is opened.
      const count = await threads.count();
      const [ids, all] = named ? [named, named.size] : [threads.ids(), count];
      const every = (one: ExportOne) => {
        return each(ids, all, report, async (id) => {
          if (!named || (await threads.exists(id))) return one(id);
          report.problem(id, "missing-thread", "the thread does not exist");
        });
      };
      await (jsonl
        ? toLines(threads, target, report, every)
        : toTables(threads, target, { schema, layout, report }, every));
    };
    await onStore(source, values["source-schema"], "read", read);
    const text = json ? `${toJson(shown(report))}\n` : plain(report.toText());
    (target === STDOUT ? process.stderr : process.stdout).write(text);
    return report.isComplete ? EXIT.done : EXIT.incomplete;
  },
};

function isLayout(text: string): text is Language {
  return text === "js" || text === "python";
}

/** How files of SQLite begin: databases, and their logs in both orders of bytes. */
const SQLITE = ["SQLite format 3\0", "\x37\x7f\x06\x82", "\x37\x7f\x06\x83"];

/**
 * Refuses what a file of lines must not replace: a database, which may be the source itself, and
 * what is no file.
 */
function checkReplaced(target: string): void {
  if (!existsSync(target)) return;
  if (!statSync(target).isFile()) {
    throw new UsageError("TARGET is not a file: name another one, or -");
  }
  const file = openSync(target, "r");
  const begin = Buffer.alloc(16);
  try {
    readSync(file, begin);
  } finally {
    closeSync(file);
  }
  if (SQLITE.some((sign) => begin.toString("latin1").startsWith(sign))) {
    throw new UsageError("TARGET is a database, which lines do not replace: name another");
  }
}

/** Asks at a terminal before something that exists is written to. A file of lines is replaced. */
async function isMeant(target: string, jsonl: boolean): Promise<boolean> {
  if (target === STDOUT || !(isPostgres(target) || existsSync(target))) return true;
  if (isAtTerminal()) {
    return isAnsweredYes(
      jsonl ? "TARGET exists. Replace it?" : "TARGET exists. Add the threads to it?",
    );
  }
  if (jsonl) throw new UsageError("TARGET exists: add --yes to replace it");
  return true;
}

/** Exports one thread after the other. A damaged one is named, and the others are exported. */
async function each(
  ids: Iterable<string> | AsyncIterable<string>,
  all: number,
  report: ExportReport,
  one: ExportOne,
): Promise<void> {
  for await (const id of ids) {
    report.threads.found += 1;
    try {
      await one(id);
    } catch (thrown) {
      if (!(thrown instanceof CorruptError)) throw thrown;
      report.problem(id, thrown.code, thrown.message);
    }
    const { stderr } = process;
    if (!stderr.isTTY) continue;
    stderr.write(`\r${report.threads.found} of ${all} threads exported`);
    if (report.threads.found === all) stderr.write("\n");
  }
}

interface Tables {
  readonly schema: string;
  readonly layout: Language;
  readonly report: ExportReport;
}

async function toTables(
  threads: StoredThreads,
  location: string,
  { schema, layout, report }: Tables,
  all: (one: ExportOne) => Promise<void>,
): Promise<void> {
  const target = await StockTables.open(location, schema, layout);
  try {
    await all((id) => giveBack(threads, id, target, report));
  } finally {
    await target.close();
  }
}

/** Writes lines to a file, which takes its name once it is complete. */
async function toLines(
  threads: StoredThreads,
  target: string,
  report: ExportReport,
  all: (one: ExportOne) => Promise<void>,
): Promise<void> {
  const partial = `${target}.partial`;
  const to = target === STDOUT ? process.stdout : createWriteStream(partial, { flush: true });
  const failed = new Promise<void>((resolve, reject) => {
    to.once("error", (failure: NodeJS.ErrnoException) => {
      // A reader that has seen enough is no failure.
      if (target === STDOUT && failure.code === "EPIPE") resolve();
      else reject(unwritable(failure));
    });
  });
  failed.catch(() => {});
  await all(async (id) => {
    for await (const exported of threads.checkpoints(id)) {
      if (!to.write(lineOf(exported))) {
        await Promise.race([
          failed,
          new Promise<void>((resolve) => to.once("drain", () => resolve())),
        ]);
      }
      report.stored.checkpoints += exported.checkpoint === undefined ? 0 : 1;
      report.stored.writes += exported.writes.length;
    }
    report.threads.exported += 1;
  });
  if (target === STDOUT) return;
  to.end();
  await Promise.race([failed, finished(to)]);
  try {
    renameSync(partial, target);
  } catch (thrown) {
    throw unwritable(thrown);
  }
}

function unwritable(thrown: unknown): Error {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new Error(`TARGET cannot be written: ${why}`);
}

function shown({ threads, stored, notes, problems }: ExportReport) {
  return { threads, stored, notes, problems };
}
