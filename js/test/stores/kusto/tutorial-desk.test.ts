// Follows docs/tutorials/kusto.md.

import { follow } from "../../support/documents.js";
import { describeLocal, newTable } from "./support/target.js";

describeLocal("the tutorial on Kusto", () => {
  test("prints_what_it_says", async () => {
    const { clusterUri, database } = (await newTable()).options;
    const environment = { KUSTO_CLUSTER_URI: clusterUri, KUSTO_DATABASE: database };
    const [result] = follow("tutorials/kusto.md", environment);
    expect(result?.printed).toBe(result?.shown);
    expect(result?.shown).toContain("ticket-2 waits");
  });
});
