// Calls, outcomes and stored bytes that are the same for every host and every store: the
// transcripts that also run on SQLite.

import { expectOutcomes, transcripts } from "../../../src/testing/transcripts.js";
import { newSchema } from "./support/target.js";

describe.each([undefined, 0])("with_a_cache_of_%s_bytes", (cacheBytes) => {
  for (const transcript of transcripts()) {
    test(`${transcript.name}_gives_its_outcomes_and_stored_bytes`, async () => {
      const schema = newSchema();
      await expectOutcomes(schema.open({ cacheBytes }), transcript);
      expect(await schema.digest()).toBe(transcript.stored);
    });
  }
});
