import { batchOf } from "../../planner/drive.js";
import { sharedPlanner } from "../../planner/shared-planner.js";
import { ownCore } from "./core.js";

/** What a setup asks a database first: its version and encoding, whether schema and table exist. */
const NEW_DATABASE = [130_000n, "UTF8", 0n, 0n, 0n];

/**
 * The SQL that makes a schema and its tables, as one transaction: that of the planner's own setup.
 * It may be run again.
 */
export function ddlOf(schema: string): string {
  const setup = sharedPlanner({ name: "postgres", schema }, ownCore()).start({ tag: "setup" });
  setup.advance({ tag: "sql", val: [{ rows: [NEW_DATABASE] }] });
  const { step } = setup;
  setup.end();
  const statements = "need" in step ? batchOf(step.need).statements : [];
  const lines = statements.flatMap(({ text, parameters }) => {
    return parameters.map((values) => {
      // Only integers are bound. A quoted name may look like a parameter.
      return text.replaceAll(/"(?:[^"]|"")*"|\$(\d+)/g, (found, place) => {
        return place === undefined ? found : String(values[Number(place) - 1]);
      });
    });
  });
  return ["BEGIN", ...lines, "COMMIT"].map((line) => `${line};\n`).join("");
}
