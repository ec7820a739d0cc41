// What an import has done, for people and for programs.

import { Findings } from "./findings.js";
import { sizeOf } from "./output.js";

/** What an import has done. */
export class Report extends Findings {
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
    return `${[...lines, ...this.lines()].join("\n")}\n`;
  }
}
