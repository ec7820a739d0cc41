// Adapters that users write: the example in the documents passes the kit. An adapter that breaks a
// rule is named, stores nothing by halves, and leaves the saver usable.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  AdapterError,
  type Batch,
  CorruptError,
  type RowSet,
  type SqlParameter,
  type SqlValue,
  type StorageAdapter,
  StorageError,
  StorageSaver,
  type StoredCall,
} from "../../src/entries/index.js";
import { SqliteSaver } from "../../src/entries/sqlite.js";
import { adapterTests } from "../../src/testing/index.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

test("the_examples_of_the_documents_are_short_and_pass_the_kit", () => {
  const document = readFileSync(join(PACKAGE, "../docs/adapters.md"), "utf8");
  const example = (name: string) => {
    return new RegExp(`^\`\`\`js ${name}\n(.*?)^\`\`\``, "ms").exec(document)?.[1] ?? "";
  };
  expect(example("adapter").split("\n").length).toBeLessThanOrEqual(40);
  // Inside the package's folder, so that its name resolves to the build.
  const folder = mkdtempSync(join(PACKAGE, ".example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "memory-adapter.js"), example("adapter"));
  writeFileSync(join(folder, "calls-adapter.js"), example("calls"));
  writeFileSync(join(folder, "kit.js"), example("kit"));
  const onCalls = example("kit")
    .replaceAll("MemoryAdapter", "CallsAdapter")
    .replace("memory-adapter", "calls-adapter")
    .replace("test(name", "if (!name.includes(' > ')) test(name");
  writeFileSync(join(folder, "calls-kit.js"), onCalls);
  const reporter = ["--test-reporter=tap", "--test"];
  for (const [kit, tests] of [
    ["kit.js", 726],
    ["calls-kit.js", 20],
  ] as const) {
    const output = execFileSync(process.execPath, [...reporter, kit], {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    const [, passed] = /^# pass (\d+)$/m.exec(output) ?? [];
    expect(Number(passed)).toBeGreaterThan(tests);
    expect(output).toContain("\n# fail 0\n");
  }
});

const VALUES = "values_come_back_as_they_were";

/** The outcome of a test of the kit for an adapter that binds values in its own way. */
async function kit(name: string, bound: (value: SqlValue) => SqlValue) {
  const saver = SqliteSaver.fromConnString(":memory:");
  onTestFinished(() => saver.close());
  const run = (batch: Batch) => {
    const statements = batch.statements.map(({ text, parameters }) => {
      return { text, parameters: parameters.map((row) => row.map(bound) as SqlParameter[]) };
    });
    return saver.adapter.run({ ...batch, statements });
  };
  const tests = adapterTests({ name: "odd", open: () => ({ name: "odd", run }) });
  const test = tests.find((each) => each.name === name);
  expect(test).toBeDefined();
  await test?.run();
}

test.each<[string, string, (value: SqlValue) => SqlValue]>([
  [
    "rounds_integers",
    VALUES,
    (value) => (typeof value === "bigint" ? Math.fround(Number(value)) : value),
  ],
  [
    "cuts_texts",
    "a_text_with_a_zero_is_bound_whole",
    (value) => (typeof value === "string" ? (value.split("\0")[0] ?? "") : value),
  ],
])("the_kit_finds_an_adapter_that_%s", async (_, name, bound) => {
  await expect(kit(name, bound)).rejects.toThrow("expected");
});

test("the_kit_accepts_a_driver_with_one_type_of_numbers", async () => {
  await kit(VALUES, (value) => {
    return typeof value === "bigint" ? Number(value) : value;
  });
});

test("a_failing_test_of_the_kit_says_what_the_adapter_threw", async () => {
  const failing = () => {
    throw new RangeError("the reason");
  };
  const outcomes = "put_and_get_gives_its_outcomes_and_stored_bytes";
  for (const name of [VALUES, outcomes]) {
    await expect(kit(name, failing)).rejects.toThrow(/adapter odd failed .*: the reason/);
  }
});

/** A database that answers correctly until it is told to misbehave. */
class Unruly implements StorageAdapter {
  readonly name = "unruly";
  readonly deadlineMs = 20;
  readonly saver = SqliteSaver.fromConnString(":memory:");
  readonly #asynchronous: boolean;
  misdeed: ((rowSets: RowSet[], batch: Batch) => unknown) | undefined;

  constructor(asynchronous: boolean) {
    this.#asynchronous = asynchronous;
    onTestFinished(() => this.saver.close());
  }

  run(batch: Batch): Promise<RowSet[]> {
    return this.#run(batch) as Promise<RowSet[]>;
  }

  #run(batch: Batch): unknown {
    // An adapter that hangs or throws does so before its database gets the batch.
    if (this.misdeed === undefined) return this.saver.adapter.run(batch);
    const misdeed = this.misdeed;
    const answer = batch.statements.map((): RowSet => ({ rows: [[1n]] }));
    return this.#asynchronous
      ? Promise.resolve().then(() => misdeed(answer, batch))
      : misdeed(answer, batch);
  }

  count(table: string): number {
    return Number(this.saver.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  }
}

const throws = () => {
  throw new RangeError("the reason");
};
const misdeeds: [string, NonNullable<Unruly["misdeed"]>, string, string][] = [
  ["throws", throws, "adapter-failed", "failed at a write batch of"],
  ["gives nothing", () => undefined, "adapter-wrong-answer", "undefined instead of an array of"],
  ["gives too few row sets", (sets) => sets.slice(1), "adapter-wrong-answer", "row sets"],
  ["gives too many row sets", (sets) => [...sets, sets[0]], "adapter-wrong-answer", "row sets"],
  [
    "gives rows alone",
    (sets) => sets.map(({ rows }) => rows),
    "adapter-wrong-answer",
    "as rows of",
  ],
  [
    "gives rows by name",
    (sets) => sets.map(() => ({ rows: [{ thread_key: 1 }] })),
    "adapter-wrong-answer",
    "Object instead of an array of columns",
  ],
  [
    "gives dates",
    (sets) => sets.map(() => ({ rows: [[new Date(0)]] })),
    "adapter-wrong-answer",
    "Date in column 0",
  ],
  [
    "gives buffers without a view",
    (sets) => sets.map(() => ({ rows: [[1n, new ArrayBuffer(4)]] })),
    "adapter-wrong-answer",
    "ArrayBuffer in column 1",
  ],
];

describe.each([false, true])("an adapter with asynchronous answers: %s", (asynchronous) => {
  test.each(misdeeds)("one_that_%s_is_named", async (_, misdeed, code, what) => {
    const adapter = new Unruly(asynchronous);
    const saver = new StorageSaver(adapter);
    await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
    adapter.misdeed = misdeed;
    const values = { a: 2, long: "x".repeat(2000) };
    const put = saver.put(config("t", idOf(1)), checkpoint(2, values), metadata(2), {
      a: 2,
      long: 2,
    });
    const failure = await put.catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(AdapterError);
    expect(failure).toMatchObject({ code, adapter: "unruly", stored: "unknown" });
    expect(String(failure)).toContain("storage adapter unruly ");
    expect(String(failure)).toContain(what);
    await expect(saver.getTuple(config("t"))).rejects.toMatchObject({ adapter: "unruly" });
    expect(adapter.count("lg_checkpoints")).toBe(1);

    adapter.misdeed = undefined;
    expect((await saver.getTuple(config("t")))?.checkpoint.id).toBe(idOf(1));
    await saver.put(config("t", idOf(1)), checkpoint(2, values), metadata(2), { a: 2, long: 2 });
    expect((await saver.getTuple(config("t")))?.checkpoint.channel_values).toEqual(values);
    expect(await all(saver.list(config("t")))).toHaveLength(2);
  });
});

test("one_that_hangs_fails_past_its_deadline_and_the_saver_goes_on", async () => {
  const adapter = new Unruly(true);
  const saver = new StorageSaver(adapter);
  adapter.misdeed = () => new Promise(() => {});
  const what = "storage adapter unruly did not answer a read batch of 1 statements within 20 ms";
  const [read, write] = await Promise.allSettled([
    saver.getTuple(config("t")),
    saver.putWrites(config("t", idOf(1)), [["a", 1]], "task"),
  ]);
  expect(read).toMatchObject({ reason: { code: "adapter-timeout", stored: "nothing" } });
  expect(write).toMatchObject({ reason: { code: "adapter-timeout" } });
  expect("reason" in read && String(read.reason)).toContain(what);
  adapter.misdeed = undefined;
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  expect((await saver.getTuple(config("t")))?.checkpoint.channel_values).toEqual({ a: 1 });
});

test("one_that_gives_bytes_as_text_is_named_beside_the_store", async () => {
  const adapter = new Unruly(false);
  const saver = new StorageSaver(adapter);
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  const reader = new StorageSaver({
    name: "textual",
    run: async (batch) => {
      const rowSets = await adapter.run(batch);
      const text = (value: unknown) => (value instanceof Uint8Array ? "text" : value);
      return rowSets.map(({ rows }) => ({ rows: rows.map((row) => row.map(text)) })) as RowSet[];
    },
  });
  const failure = await reader.getTuple(config("t")).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(CorruptError);
  expect(String(failure)).toContain("storage adapter textual");
});

test("an_error_of_this_package_is_the_adapters_to_throw", async () => {
  const busy = new StorageError("storage-busy", "the line is engaged");
  const saver = new StorageSaver({ run: () => Promise.reject(busy) });
  expect(await saver.getTuple(config("t")).catch((thrown: unknown) => thrown)).toBe(busy);
});

test("an_error_that_does_not_say_what_was_stored_claims_nothing_about_it", () => {
  const failed = new StorageError("storage-failed", "the line broke");
  expect(failed).toMatchObject({ stored: "unknown" });
  expect(failed.message).toBe("the line broke; it is not known whether it was stored");
  const refused = new StorageError("storage-full", "the line is full", { stored: "nothing" });
  expect(refused.message).toBe("the line is full; nothing was stored");
  // @ts-expect-error: an error has a code of this package's, and a message.
  new StorageError("x");
});

test("one_that_gives_no_rows_is_named_beside_the_store", async () => {
  const run = ({ statements }: Batch) => statements.map(() => ({ rows: [] }));
  const failure = await new StorageSaver({ name: "empty", run })
    .getTuple(config("t"))
    .catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "missing-format" });
  expect(String(failure)).toContain("or storage adapter empty does not give the rows");
});

test.each([
  [
    "throws",
    () => {
      throw new RangeError("gone");
    },
  ],
  ["rejects", () => Promise.reject(new RangeError("gone"))],
])("one_that_runs_whole_calls_and_%s_is_named", async (_, fail) => {
  const adapter = new Unruly(true);
  const runCall = async (call: StoredCall) => {
    if (call.due === "turn") await fail();
    for (let { batch } = call; batch !== undefined; { batch } = call) {
      call.answer(await adapter.run(batch));
    }
  };
  const saver = new StorageSaver({ name: "unruly", run: (batch) => adapter.run(batch), runCall });
  await saver.put(config("t"), checkpoint(1, { a: 1 }), metadata(1), { a: 1 });
  const write = saver.putWrites(config("t", idOf(1)), [["a", 1]], "task");
  const failure = await write.catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "adapter-failed", cause: new RangeError("gone") });
  expect(String(failure)).toContain("storage adapter unruly");
});

test("what_has_no_run_is_no_adapter", () => {
  const nothing = { name: "nothing" } as unknown as StorageAdapter;
  expect(() => new StorageSaver(nothing)).toThrow("storage adapter nothing has no method run");
});

test("one_for_postgresql_is_told_which_module_has_its_statements", () => {
  const adapter: StorageAdapter = {
    dialect: { name: "postgres", schema: "agents" },
    run: () => [],
  };
  const make = () => new StorageSaver(adapter);
  expect(make).toThrow(expect.objectContaining({ code: "missing-core-module" }));
  expect(make).toThrow('import { core } from "langgraph-checkpoint-wasm/core-postgres"');
});

test.each(["postgres", { name: "mysql" }, {}, null, { name: "postgres" }])(
  "the_dialect_%j_is_refused_when_the_saver_is_made",
  (dialect) => {
    const adapter = { name: "odd", dialect, run: () => [] } as unknown as StorageAdapter;
    const refused = expect.objectContaining({
      code: "invalid-option",
      message: expect.stringContaining("the dialect of storage adapter odd has to be"),
    });
    expect(() => new StorageSaver(adapter)).toThrow(refused);
  },
);
