// Runs the first graph of docs/kusto.md unchanged.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describeLocal, newTable } from "./support/target.js";

const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));
const DOCUMENT = readFileSync(new URL("../../../../docs/kusto.md", import.meta.url), "utf8");
const [program = ""] = [...DOCUMENT.matchAll(/^```js\n(.*?)^```/gms)].map(([, text]) => text ?? "");
const [query = ""] = [...DOCUMENT.matchAll(/^```kql\n(.*?)^```/gms)].map(([, text]) => text ?? "");

describeLocal("the first graph of the documents", () => {
  test("runs_and_is_found_by_the_query_after_it", async () => {
    const table = await newTable();
    const { clusterUri, database } = table.options;
    // The package's own name resolves inside its folder.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", program],
      {
        cwd: PACKAGE,
        env: { ...process.env, KUSTO_CLUSTER_URI: clusterUri, KUSTO_DATABASE: database },
      },
    );
    expect(stdout).toBe("1 [ 'a trip to Lisbon', 'a plan for a trip to Lisbon' ]\n");
    const steps = (await table.run(query)).map(({ step }) => step);
    expect(steps).toEqual([-1, 0, 1]);
  });
});
