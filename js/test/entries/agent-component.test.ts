// Runs the agent of examples/agent, composed with the checkpointer component, in JavaScript with a
// storage of ours. host/tests/agents.rs does the same in Rust.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import Database from "better-sqlite3";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { temporaryFolder } from "../support/temporary.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

type Value =
  | { tag: "null" }
  | { tag: "integer"; val: bigint }
  | { tag: "real"; val: number }
  | { tag: "text"; val: string }
  | { tag: "blob"; val: Uint8Array };
interface Batch {
  readonly access: "read" | "write";
  readonly statements: readonly { text: string; parameters: readonly (readonly Value[])[] }[];
}
interface Storage {
  dialect(): { tag: "sqlite" };
  run(batch: Batch): { rows: Value[][] }[];
}
interface Agent {
  answer(threadId: string, message: string): string;
}
interface Composed {
  instantiate(
    getCoreModule: (name: string) => WebAssembly.Module,
    imports: { "langgraph:checkpoint/storage": Storage },
  ): Agent;
}

/**
 * Runs each batch in one transaction of a database. The agent is trusted here: better-sqlite3
 * cannot restrict the SQL of one that is not.
 */
function storageOf(db: Database.Database): Storage {
  const rowsOf = (text: string, parameters: readonly (readonly Value[])[]): Value[][] => {
    const statement = db.prepare(text).safeIntegers();
    return parameters.flatMap((row) => {
      // The driver binds numbered parameters by name.
      const bound = Object.fromEntries(row.map((value, at) => [at + 1, toSqlite(value)]));
      if (statement.reader) return statement.raw().all(bound).map(rowFromSqlite);
      statement.run(bound);
      return [];
    });
  };
  const run = (batch: Batch) =>
    batch.statements.map(({ text, parameters }) => ({ rows: rowsOf(text, parameters) }));
  const inTransaction = db.transaction(run);
  return {
    dialect: () => ({ tag: "sqlite" }),
    run: (batch) =>
      batch.access === "write" ? inTransaction.immediate(batch) : inTransaction.deferred(batch),
  };
}

function toSqlite(value: Value): null | bigint | number | string | Uint8Array {
  return value.tag === "null" ? null : value.val;
}

function rowFromSqlite(row: unknown): Value[] {
  if (!Array.isArray(row)) throw new TypeError("a row is no array");
  return row.map((value: unknown): Value => {
    if (value === null) return { tag: "null" };
    if (typeof value === "bigint") return { tag: "integer", val: value };
    if (typeof value === "number") return { tag: "real", val: value };
    if (typeof value === "string") return { tag: "text", val: value };
    if (value instanceof Uint8Array) return { tag: "blob", val: value };
    throw new TypeError("a column is of no type that SQLite has");
  });
}

test("an_agent_that_is_a_component_remembers_through_a_storage_in_javascript", async () => {
  const folder = temporaryFolder();
  const component = join(ROOT, "target/components/agent-on-storage.wasm");
  execFileSync("node", [join(ROOT, "xtask/jco/compose.mjs"), folder, component]);
  const composed: Composed = await import(pathToFileURL(join(folder, "agent-on-storage.js")).href);
  const path = join(folder, "checkpoints.db");
  for (const [message, said] of [
    ["it rains", 1],
    ["it stopped", 2],
  ] as const) {
    const db = new Database(path);
    const agent = composed.instantiate(
      (name) => new WebAssembly.Module(readFileSync(join(folder, name))),
      { "langgraph:checkpoint/storage": storageOf(db) },
    );
    const answer = agent.answer("oslo", message);
    expect(answer).toBe(`You have told me ${said} things, first: it rains`);
    db.close();
  }
  // The agent stored a thread like any other.
  const saver = SqliteSaver.fromConnString(path);
  const tuple = await saver.getTuple({ configurable: { thread_id: "oslo" } });
  expect(tuple?.checkpoint.channel_values.messages).toHaveLength(4);
  saver.close();
});
