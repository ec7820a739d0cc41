// Runs the test kit for storage adapters in any runtime, and counts the results.

import { adapterTests } from "../dist/testing/index.js";

const FAILURES_MAX = 10;

/**
 * The counts of passed tests (LangGraph's specs, the transcripts, the rules of adapters), and the
 * first failures.
 */
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
