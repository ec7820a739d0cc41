// Sweeps, and prunes of runs, on PostgreSQL.

import type { PostgresDriverSaver } from "../../../src/stores/postgres/saver.js";
import { checkpoint, config, metadata } from "../../support/checkpoints.js";
import { newSchema } from "./support/target.js";

async function put(saver: PostgresDriverSaver, thread: string, run?: string): Promise<void> {
  const stored = { ...checkpoint(1, { a: 1 }), ts: "2026-12-01T00:00:00.000Z" };
  await saver.put({ ...config(thread), metadata: { run_id: run } }, stored, metadata(1), { a: 1 });
}

test("of_several_savers_one_sweeps", async () => {
  const schema = newSchema();
  const savers = Array.from({ length: 4 }, () => schema.open());
  const [first] = savers as [PostgresDriverSaver];
  for (const thread of ["a", "b", "c"]) await put(first, thread);
  const sweep = (saver: PostgresDriverSaver) => {
    const now = () => Date.UTC(2027, 0, 1);
    const given = { idleFor: 0, strategy: "delete", limit: 2, leaseMs: 300_000, now };
    const signal = { throwIfAborted: () => {} };
    // The method is protected: only the option `ttl` calls it.
    return (saver as unknown as { sweep(sweep: unknown): ReturnType<typeof saver.expire> }).sweep({
      ...given,
      ...signal,
    });
  };
  const done = await Promise.all(savers.map(sweep));
  expect(done.map(({ threads }) => threads).sort()).toEqual([0, 0, 0, 2]);
  expect((await first.stats()).threads).toBe(1);
});

test("a_saver_with_ttl_ends_while_it_has_swept_nothing", async () => {
  const saver = newSchema().open({ ttl: { defaultTtl: 60 } });
  await put(saver, "a");
  await saver.end();
});

test("the_run_of_a_config_is_noted_and_copied", async () => {
  const saver = newSchema().open();
  await put(saver, "a", "run-1");
  await put(saver, "b", "run-2");
  await saver.copyThread("a", "copy");
  expect((await saver.getTuple(config("a")))?.metadata).toEqual(metadata(1));
  const done = await saver.deleteForRuns(["run-1", "run'{,}\"\\"]);
  expect(done).toMatchObject({ threads: 2, checkpoints: 2 });
  expect(await saver.getTuple(config("b"))).toBeDefined();
});

test("a_vacuum_is_refused", async () => {
  const saver = newSchema().open();
  await expect(saver.vacuum()).rejects.toMatchObject({ code: "unsupported-call" });
});
