// What an import has done, for people and for programs.

import { sizeOf } from "./output.js";

/** At most this many threads or problems are named. The others are counted. */
const NAMED_MAX = 20;

/** Something found in several threads. */
interface Found {
  readonly code: string;
  readonly message: string;
  /** In how many checkpoints. */
  count: number;
  /** Some of their threads. */
  readonly threads: string[];
}

/** What an import has done. */
export class Report {
  readonly threads = {
    /** How many the source has. */
    found: 0,
    /** How many were stored, at least in part. */
    imported: 0,
    /** How many the target had already, equal. */
    present: 0,
    /** How many were left alone, because the target has something else. */
    conflicting: 0,
  };
  /** Checkpoints and tasks' writes that were stored. In a dry run: that would be. */
  readonly stored = { checkpoints: 0, tasks: 0 };
  /** Bytes of the checkpoints and writes that were read. */
  bytesRead = 0;
  /** Checkpoints that were compared, and how many differed. */
  readonly verified = { checkpoints: 0, different: 0 };
  /** What was stored in an older or ambiguous way. */
  readonly notes: Found[] = [];
  /** What was not imported, and why. */
  readonly problems: Found[] = [];

  /** Whether everything in the source is in the target. */
  get isComplete(): boolean {
    return this.problems.length === 0;
  }

  /** Adds a note about a checkpoint of a thread. */
  note(thread: string, code: string, message: string): void {
    add(this.notes, thread, code, message);
  }

  /** Adds a problem with a thread or a checkpoint. */
  problem(thread: string, code: string, message: string): void {
    add(this.problems, thread, code, message);
  }

  /** The report in words. */
  toText({ dryRun, verify }: { dryRun: boolean; verify: boolean }): string {
    const { threads, stored, verified } = this;
    const would = dryRun ? "would be " : "";
    const lines = [
      `${threads.found} threads: ${threads.imported} ${would}imported, ` +
        `${threads.present} there already, ${threads.conflicting} left alone`,
      `${stored.checkpoints} checkpoints and the writes of ${stored.tasks} tasks ` +
        `${would}stored, of ${sizeOf(this.bytesRead)} read`,
    ];
    if (verify) {
      lines.push(`${verified.checkpoints} checkpoints compared, ${verified.different} differ`);
    }
    lines.push(...listed("note", this.notes), ...listed("problem", this.problems));
    return `${lines.join("\n")}\n`;
  }
}

function add(list: Found[], thread: string, code: string, message: string): void {
  const before = list.find((found) => found.code === code);
  const found = before ?? { code, message, count: 0, threads: [] };
  if (before === undefined) list.push(found);
  found.count += 1;
  const { threads } = found;
  if (threads.length < NAMED_MAX && !threads.includes(thread)) threads.push(thread);
}

function listed(kind: string, list: readonly Found[]): string[] {
  return list.flatMap(({ code, message, count, threads }) => [
    `${kind} ${code}, ${count} times, first: ${message}`,
    `  threads: ${threads.map((thread) => JSON.stringify(thread)).join(", ")}`,
  ]);
}
