// `import`: takes over what LangGraph's own savers have stored.

import { existsSync } from "node:fs";

import { SCHEMA } from "../../stores/postgres/options.js";
import { parsed, taken } from "./arguments.js";
import { type Command, EXIT, type ExitCode } from "./command.js";
import { isPostgres, named } from "./location.js";
import { plain, sizeOf, toJson } from "./output.js";
import { Report } from "./report.js";
import { openSource, type Source } from "./source.js";
import { type OnProgress, Threads } from "./takeover.js";
import { openTarget } from "./target.js";
import { isAnsweredYes, isAtTerminal } from "./terminal.js";

const OPTIONS = {
  "dry-run": { type: "boolean", default: false },
  verify: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  schema: { type: "string", default: SCHEMA },
  "source-schema": { type: "string", default: SCHEMA },
} as const;

type Options = ReturnType<typeof given>["values"];

/** The command. */
export const importing: Command = {
  usage:
    "import SOURCE TARGET [--dry-run] [--verify] [--json] [--yes]\n" +
    "         [--source-schema NAME] [--schema NAME]",
  does:
    "stores the threads of LangGraph's own savers: files of SQLite, or postgresql:// addresses.\n" +
    "      SOURCE is only read. Run it again if it was interrupted",
  async run(args) {
    const { positionals, values } = given(args);
    const [source, target = ""] = taken(positionals, ["SOURCE", "TARGET"]);
    if (!values.yes && !values["dry-run"] && !(await isMeant(target))) return EXIT.incomplete;
    const report = new Report();
    const opened = await named(source, () => openSource(source, values["source-schema"]));
    try {
      await run(opened, target, values, report);
    } finally {
      await opened.close();
    }
    return print(report, source, target, values);
  },
};

function given(args: string[]) {
  return parsed(args, OPTIONS);
}

async function run(
  source: Source,
  target: string,
  { "dry-run": isDry, verify, schema }: Options,
  report: Report,
): Promise<void> {
  const threads = await Threads.of(source, report);
  const ids = await threads.ids();
  report.threads.found = ids.length;
  const store = await openTarget(target, schema, isDry);
  try {
    await store.setUp();
    await threads.store(ids, store, progress(isDry ? "read" : "imported", ids.length));
    if (verify && !isDry) await threads.verify(ids, store, progress("compared", ids.length));
  } finally {
    await store.close();
  }
}

/** Asks at a terminal before a database that exists is written to. */
async function isMeant(target: string): Promise<boolean> {
  if (!isAtTerminal() || !(isPostgres(target) || existsSync(target))) return true;
  return isAnsweredYes("TARGET exists. Add the threads to it?");
}

/** Shows at a terminal how far it is. */
function progress(what: string, of: number): OnProgress {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  return (done, { bytesRead }) => {
    stderr.write(`\r${done} of ${of} threads ${what}, ${sizeOf(bytesRead)}`);
    if (done === of) stderr.write("\n");
  };
}

function print(report: Report, source: string, target: string, options: Options): ExitCode {
  const { "dry-run": dryRun, verify, json } = options;
  const { threads, stored, bytesRead, verified, notes, problems } = report;
  const shown = isPostgres(source) ? undefined : source;
  const to = isPostgres(target) ? undefined : target;
  const all = { source: shown, target: to, dryRun, threads, stored, bytesRead, notes, problems };
  process.stdout.write(
    json
      ? `${toJson(verify ? { ...all, verified } : all)}\n`
      : plain(report.toText({ dryRun, verify })),
  );
  return report.isComplete ? EXIT.done : EXIT.incomplete;
}
