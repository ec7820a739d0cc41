// The entry point `langgraph-checkpoint-wasm/testing`: what a storage adapter must pass.

import { deltaChannelHistoryTests, specTest } from "@langchain/langgraph-checkpoint-validation";
import type { SaverOptions } from "../options.js";
import type { StorageAdapter } from "../planner/adapter.js";
import { StorageSaver } from "../stores/storage-saver.js";
import { batchTests } from "./batches.js";
import { type AdapterTest, type OpenedSaver, testsIn } from "./suite.js";
import { threadTests } from "./threads.js";
import { transcriptTests } from "./transcripts.js";

export type { AdapterTest, OpenedSaver } from "./suite.js";

/** What is tested. */
export interface AdapterSubject<Opened extends StorageAdapter | StorageSaver = StorageAdapter> {
  /** What the tests call it. */
  readonly name: string;
  /** Opens a store with nothing in it: an adapter, or a saver of your own over one. */
  open(): Opened | Promise<Opened>;
  /** Closes what was opened. */
  close?(opened: Opened): void | Promise<void>;
  /** Options of the savers that tests make of adapters. */
  readonly options?: SaverOptions;
}

/**
 * The tests of a storage adapter: the rules of batches, long threads, this package's transcripts
 * with their stored bytes, and LangGraph's conformance suite.
 *
 * They need no test runner; in one, declare each of them in their order:
 * `for (const { name, run } of adapterTests(subject)) test(name, run);`
 */
export function adapterTests<Opened extends StorageAdapter | StorageSaver>(
  subject: AdapterSubject<Opened>,
): AdapterTest[] {
  const open = () => openSubject(subject);
  const initializer = {
    // The suite skips some of its tests for savers that it knows by name.
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
  return [...batchTests(open), ...threadTests(open), ...transcriptTests(open), ...conformance];
}

const closers = new WeakMap<StorageSaver, () => Promise<void>>();

async function openSubject<Opened extends StorageAdapter | StorageSaver>(
  subject: AdapterSubject<Opened>,
): Promise<OpenedSaver> {
  const opened = await subject.open();
  const saver =
    opened instanceof StorageSaver ? opened : new StorageSaver(opened, undefined, subject.options);
  return { saver, close: async () => subject.close?.(opened) };
}
