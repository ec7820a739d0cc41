// Calls and outcomes that are the same for every host and every store: the transcripts that also
// run on SQLite.

import { expectOutcomes, keepingChunks, transcripts } from "../../../src/testing/transcripts.js";
import { describeKusto, newTable } from "./support/target.js";

describeKusto.each([undefined, 0])("with_a_cache_of_%s_bytes", (cacheBytes) => {
  for (const transcript of transcripts()) {
    test(`${transcript.name}_gives_its_outcomes`, async () => {
      const table = await newTable();
      await expectOutcomes(await table.open({ cacheBytes }), transcript, keepingChunks);
    });
  }
});

describeKusto("with_write_behind", () => {
  for (const transcript of transcripts()) {
    test(`${transcript.name}_gives_its_outcomes`, async () => {
      const table = await newTable();
      await expectOutcomes(await table.open({ batchSize: 1000 }), transcript, keepingChunks);
    });
  }
});
