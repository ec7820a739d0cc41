// Runs the kit for storage adapters, in whatever runtime this is, and counts.

import { adapterTests } from "../dist/testing/index.js";

const FAILURES_MAX = 10;

/** What passed and failed: LangGraph's specs, the transcripts, and the rules of adapters. */
export async function runKit(subject) {
  const counts = {};
  const failures = [];
  for (const { name, run } of adapterTests(subject)) {
    const kind = kindOf(name, subject.name);
    counts[kind] ??= { passed: 0, all: 0 };
    counts[kind].all += 1;
    try {
      await run();
      counts[kind].passed += 1;
    } catch (thrown) {
      if (failures.length < FAILURES_MAX) failures.push(`${name}: ${described(thrown)}`);
    }
  }
  return { ...counts, failures };
}

function kindOf(name, subject) {
  if (name.startsWith(`adapter ${subject}`)) return "conformance";
  return name.endsWith("_gives_its_outcomes_and_stored_bytes") ? "transcripts" : "rules";
}

function described(thrown) {
  const cause = thrown?.cause === undefined ? "" : `; cause: ${described(thrown.cause)}`;
  return `${String(thrown?.message ?? thrown).slice(0, 500)}${cause}`;
}
