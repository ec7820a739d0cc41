// A process that ends while rows wait in write-behind.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { all, checkpoint } from "../../support/checkpoints.js";
import { describeLocal, newTable, type Table } from "./support/target.js";

const PROGRAM = fileURLToPath(new URL("support/unsent.mjs", import.meta.url));
const COUNT = 5;

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that puts some checkpoints and then ends. */
async function run(
  table: Table,
  ending: string,
  more: object = {},
  node: string[] = [],
): Promise<Ended> {
  const checkpoints = Array.from({ length: COUNT }, (_, at) => checkpoint(at + 1, { a: at }));
  const { clusterUri, database } = table.options;
  const options = JSON.stringify({ clusterUri, database, ...more });
  const args = [...node, PROGRAM, options, JSON.stringify(checkpoints), ending];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

async function stored(table: Table): Promise<number> {
  return (await all((await table.open()).list({}))).length;
}

describeLocal("a_process", () => {
  test("that_ends_by_itself_loses_nothing_and_says_nothing", async () => {
    const table = await newTable();
    const { code, stdout, stderr } = await run(table, "by-itself");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.trim()).toBe("1 1");
    expect(await stored(table)).toBe(COUNT);
  });

  test("that_closes_its_savers_has_no_listener_left", async () => {
    const table = await newTable();
    const { stdout } = await run(table, "close");
    expect(stdout.trim().split("\n")).toEqual(["1 1", "0 0"]);
    expect(await stored(table)).toBe(COUNT);
  });

  test("that_exits_at_once_is_told_what_it_loses", async () => {
    const table = await newTable();
    const { code, stderr } = await run(table, "exit");
    expect(code).toBe(3);
    expect(stderr.match(/CheckpointerWarning/g)).toHaveLength(COUNT);
    expect(stderr).toContain("1 checkpoint and 0 pending writes of 1 thread");
    expect(stderr).toContain("await close() or flush()");
    expect(await stored(table)).toBe(0);
    expect((await run(table, "exit", {}, ["--no-warnings"])).stderr).toBe("");
  });

  test("that_cannot_send_what_waits_ends_and_says_what_is_lost", async () => {
    const table = await newTable();
    await table.local("POST", "faults", { faults: [{ kind: "unavailable", on: "any" }] });
    const { code, stderr } = await run(table, "by-itself", { deadline: 1 });
    expect(code).toBe(0);
    expect(stderr.match(/are lost/g)).toHaveLength(COUNT);
  });
});
