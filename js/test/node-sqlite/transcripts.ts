// The transcripts on node:sqlite, beside LangGraph's suite.

import { SqliteSaver } from "../../src/node-sqlite.js";
import { expectTranscript, transcripts } from "../support/transcripts.js";

for (const transcript of transcripts()) {
  test(`${transcript.name}_gives_its_outcomes_and_stored_bytes`, async () => {
    const saver = SqliteSaver.fromConnString(":memory:");
    await expectTranscript(saver, transcript);
    saver.close();
  });
}
