// What every command of the program has.

/** How a command ended, as the process's exit code. */
export const EXIT = {
  /** All was done. */
  done: 0,
  /** Something was left out, or differs. The report says what. */
  incomplete: 1,
  /** The command line was wrong. Nothing was done. */
  usage: 2,
  /** A database could not be opened, read or written. */
  failed: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command. */
export interface Command {
  /** Its arguments, as the usage shows them. */
  readonly usage: string;
  readonly does: string;
  /** Runs it, and prints. Throws a `UsageError` for wrong arguments. */
  run(args: string[]): ExitCode | Promise<ExitCode>;
}

/** The command line was wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
