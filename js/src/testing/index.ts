// The entry point `langgraph-checkpoint-wasm/testing`: the tests that a storage adapter must pass.

import { deltaChannelHistoryTests, specTest } from "@langchain/langgraph-checkpoint-validation";
import type { SaverOptions } from "../options.js";
import type { StorageAdapter } from "../planner/adapter.js";
import { StorageSaver } from "../stores/storage-saver.js";
import { batchTests } from "./batches.js";
import { type AdapterTest, type OpenedSaver, testsIn } from "./suite.js";
import { threadTests } from "./threads.js";
import { transcriptTests } from "./transcripts.js";

export type { AdapterTest, OpenedSaver } from "./suite.js";

/** The adapter or saver under test. */
export interface AdapterSubject<Opened extends StorageAdapter | StorageSaver = StorageAdapter> {
  /** Its name in the tests. */
  readonly name: string;
  /** Opens an empty store: an adapter, or a saver of your own over one. */
  open(): Opened | Promise<Opened>;
  /** Closes what was opened. */
  close?(opened: Opened): void | Promise<void>;
  /** Options of the savers that the tests make. */
  readonly options?: SaverOptions;
}

/**
 * The tests of a storage adapter: the rules of batches, long threads, this package's transcripts
 * with their stored bytes, and LangGraph's conformance suite.
 *
 * They need no test runner. In one, declare each of them in order:
 * `for (const { name, run } of adapterTests(subject)) test(name, run);`
 */
export function adapterTests<Opened extends StorageAdapter | StorageSaver>(
  subject: AdapterSubject<Opened>,
): AdapterTest[] {
  const open = () => openSubject(subject);
  const initializer = {
    // The suite skips some tests for savers that it knows by name.
    checkpointerName: `adapter ${subject.name}`,
    createCheckpointer: async () => {
      const opened = await open();
      closers.set(opened.saver, opened.close);
      return opened.saver;
    },
    destroyCheckpointer: async (saver: StorageSaver) => closers.get(saver)?.(),
  };
  const conformance = testsIn(() => {
    specTest(initializer);
    deltaChannelHistoryTests(initializer);
  });
  const all = [...batchTests(open), ...threadTests(open), ...transcriptTests(open), ...conformance];
  return all.map(({ name, run }) => ({ name, run: () => run().catch(withCauses) }));
}

/** Throws an error whose message also has the messages of its causes. */
function withCauses(thrown: unknown): never {
  const messages: string[] = [];
  let error = thrown;
  for (; error instanceof Error && messages.length < CAUSES_MAX; error = error.cause) {
    messages.push(error.message);
  }
  if (messages.length < 2) throw thrown;
  throw new Error(messages.join(": "), { cause: thrown });
}

const CAUSES_MAX = 8;

const closers = new WeakMap<StorageSaver, () => Promise<void>>();

async function openSubject<Opened extends StorageAdapter | StorageSaver>(
  subject: AdapterSubject<Opened>,
): Promise<OpenedSaver> {
  const opened = await subject.open();
  const saver =
    opened instanceof StorageSaver ? opened : new StorageSaver(opened, undefined, subject.options);
  return { saver, close: async () => subject.close?.(opened) };
}
