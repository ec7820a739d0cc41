// Calls and outcomes that every host has in common. The same files run natively
// (`tests/tests/transcripts.rs`) and under wasmtime (`host/tests/transcripts.rs`).

import { SqliteSaver } from "../src/sqlite.js";
import { expectTranscript, transcripts } from "./support/transcripts.js";

const found = transcripts();

test("there_are_transcripts", () => {
  expect(found.length).toBeGreaterThan(0);
});

describe.each([undefined, 0, 3_000])("with_a_cache_of_%s_bytes", (cacheBytes) => {
  for (const transcript of found) {
    test(`${transcript.name}_gives_its_outcomes_and_stored_bytes`, async () => {
      const saver = SqliteSaver.fromConnString(":memory:", { cacheBytes });
      await expectTranscript(saver, transcript);
      saver.close();
    });
  }
});
