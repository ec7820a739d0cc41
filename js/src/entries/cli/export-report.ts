// What an export has done, for people and for programs.

import { Findings } from "./findings.js";

/** What an export has done. */
export class ExportReport extends Findings {
  readonly threads = {
    /** How many the source has. */
    found: 0,
    /** How many were stored, at least in part. */
    exported: 0,
    /** How many the target had already. */
    present: 0,
    /** How many were left alone, because the target has something else. */
    conflicting: 0,
  };
  /** Checkpoints and writes that were stored. */
  readonly stored = { checkpoints: 0, writes: 0 };

  /** The report in words. */
  toText(): string {
    const { threads, stored } = this;
    const lines = [
      `${threads.found} threads: ${threads.exported} exported, ` +
        `${threads.present} there already, ${threads.conflicting} left alone`,
      `${stored.checkpoints} checkpoints and ${stored.writes} writes stored`,
    ];
    return `${[...lines, ...this.lines()].join("\n")}\n`;
  }
}
