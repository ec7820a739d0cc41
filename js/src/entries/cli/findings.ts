// What a command that moves threads found on the way, for people and for programs.

/** At most this many threads are named. The others are counted. */
const NAMED_MAX = 20;

/** Something found in several threads. */
export interface Found {
  readonly code: string;
  readonly message: string;
  /** In how many checkpoints. */
  count: number;
  /** Some of their threads. */
  readonly threads: string[];
}

/** What was found, by code. */
export class Findings {
  /** What was stored in an older or ambiguous way, or is stored otherwise. */
  readonly notes: Found[] = [];
  /** What was left out, and why. */
  readonly problems: Found[] = [];

  /** Whether nothing was left out. */
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

  /** The findings in words, one a line or two. */
  protected lines(): string[] {
    return [...listed("note", this.notes), ...listed("problem", this.problems)];
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
