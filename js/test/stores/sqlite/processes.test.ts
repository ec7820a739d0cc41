// Several processes on one file, and processes that are killed.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { all, checkpoint, config, idOf, metadata } from "../../support/checkpoints.js";
import { temporaryDatabase } from "../../support/temporary.js";

const WRITER = fileURLToPath(new URL("../../support/writer.mjs", import.meta.url));
const KILLS = 12;

/** What a writer acknowledged: one line per checkpoint. */
interface Acknowledged {
  readonly thread: string;
  readonly line: string;
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** The cache sizes of the writers, in turn: the default, small, and none. */
const CACHES = [[], ["3000"], ["0"]];

function startWriter(
  database: string,
  thread: string,
  name: string,
  count: number,
  cache: readonly string[] = [],
) {
  const args = [WRITER, database, thread, name, String(count), ...cache];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: Acknowledged[] = [];
  const reader = createInterface({ input: child.stdout });
  const ended = Promise.all([once(child, "close"), once(reader, "close")]);
  /** Resolves to the exit code and the signal. */
  const exit = ended.then(([[code, signal]]) => ({ code, signal }));
  const said = (enough: number) =>
    new Promise<void>((resolve) => {
      reader.on("line", (line) => {
        lines.push({ thread, line });
        if (lines.length === enough) resolve();
      });
      reader.on("close", resolve);
    });
  return { child, lines, exit, said };
}

async function expectWhole(saver: SqliteSaver, acknowledged: readonly Acknowledged[]) {
  for (const { thread, line } of acknowledged) {
    const [id = "", values, write] = line.split(" ");
    const tuple = await saver.getTuple(config(thread, id));
    expect(digest(tuple?.checkpoint.channel_values), `${thread} ${id}`).toBe(values);
    expect(tuple?.pendingWrites?.map(([, , value]) => digest(value))).toEqual([write]);
  }
  // Reading them all would fail if a part of one were missing.
  const threads = new Set(acknowledged.map(({ thread }) => thread));
  for (const thread of threads) {
    const stored = await all(saver.list(config(thread)));
    const own = acknowledged.filter((one) => one.thread === thread);
    expect(stored.length).toBeGreaterThanOrEqual(own.length);
  }
}

/** A source of random numbers below a bound, always the same for a seed. */
function seeded(seed: number) {
  let state = seed;
  return (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test("every_acknowledged_checkpoint_of_a_killed_process_reads_whole", async () => {
  const database = temporaryDatabase();
  const seed = Number(process.env.KILL_SEED ?? 20270101);
  const below = seeded(seed);
  const acknowledged: Acknowledged[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const name = String(kill).padStart(4, "0");
    // Each thread gets writers of every cache.
    const cache = CACHES[(kill + Math.floor(kill / 3)) % 3];
    const writer = startWriter(database, `thread-${kill % 3}`, name, 0, cache);
    await writer.said(1 + below(60));
    writer.child.kill("SIGKILL");
    expect((await writer.exit).signal, `seed ${seed}`).toBe("SIGKILL");
    acknowledged.push(...writer.lines);
    const saver = SqliteSaver.fromConnString(database);
    await expectWhole(saver, writer.lines);
    saver.close();
  }
  const saver = SqliteSaver.fromConnString(database);
  await expectWhole(saver, acknowledged);
  saver.close();
});

test.each([
  ["two_processes_on_one_thread", ["shared", "shared"], []],
  ["two_processes_with_tiny_caches_on_one_thread", ["shared", "shared"], ["3000"]],
  ["two_processes_on_two_threads", ["left", "right"], []],
  ["four_processes_on_four_threads", ["north", "east", "south", "west"], []],
])("%s_lose_nothing", async (_, threads, cache) => {
  const database = temporaryDatabase();
  const count = 60;
  const writers = threads.map((thread, index) => {
    const writer = startWriter(database, thread, `000${index}`, count, cache);
    return { ...writer, done: writer.said(count) };
  });
  await Promise.all(writers.map(({ done }) => done));
  for (const { exit } of writers) expect(await exit).toEqual({ code: 0, signal: null });
  const acknowledged = writers.flatMap(({ lines }) => lines);
  expect(acknowledged).toHaveLength(threads.length * count);
  const saver = SqliteSaver.fromConnString(database);
  await expectWhole(saver, acknowledged);
  saver.close();
});

test("a_thread_that_another_saver_deleted_is_stored_anew", async () => {
  const database = temporaryDatabase();
  const [one, other] = [1, 2].map(() => SqliteSaver.fromConnString(database));
  if (one === undefined || other === undefined) throw new TypeError("two savers are needed");
  const text = Array.from({ length: 3000 }, (_, index) => `line ${index}`).join("\n");
  await one.put(config("t"), checkpoint(1, { text }), metadata(1), { text: 1 });
  for (const number of [2, 3, 4]) {
    await other.deleteThread("t");
    // A third party may have created the thread again, without the values.
    if (number === 3) await other.put(config("t"), checkpoint(9, {}, {}), metadata(9), {});
    await one.put(config("t"), checkpoint(number, { text }), metadata(1), { text: 1 });
    const tuple = await other.getTuple(config("t", idOf(number)));
    expect(tuple?.checkpoint.channel_values).toEqual({ text });
  }
  one.close();
  other.close();
});
