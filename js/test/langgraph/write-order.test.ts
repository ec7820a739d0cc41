// Pending writes are in the order of LangGraph's own comparator, by code points.

import {
  type BaseCheckpointSaver,
  compareWritesSortKeys,
  WRITES_IDX_MAP,
  type WritesSortKey,
  writesSortKey,
} from "@langchain/langgraph-checkpoint";
import fc from "fast-check";

import { SqliteSaver } from "../../src/entries/sqlite.js";
import { describeKusto, newTable } from "../stores/kusto/support/target.js";
import { all, checkpoint, config, idOf, metadata } from "../support/checkpoints.js";

/** The writes of one task. */
interface Task {
  readonly id: string;
  readonly path: string;
  readonly channels: readonly string[];
}

/**
 * Characters that UTF-16, locales and code points order differently. Prefixes of texts occur too.
 */
const text = fc
  .array(fc.constantFrom("~", "a", "Z", "0", ",", "\u{e9}", "\u{ff61}", "\u{1f600}", "\u{ffff}"), {
    maxLength: 4,
  })
  .map((characters) => characters.join(""));
const path = fc.oneof(
  text,
  fc.constantFrom("~__pregel_pull, a", "~__pregel_push, 0000000002", "~__pregel_push, 0000000010"),
);
const channels = fc.uniqueArray(fc.constantFrom("a", "b", ...Object.keys(WRITES_IDX_MAP)), {
  minLength: 1,
});
const tasks: fc.Arbitrary<Task[]> = fc.uniqueArray(
  fc.record({ id: text.filter((id) => id !== ""), path, channels }),
  { minLength: 2, maxLength: 8, selector: ({ id }) => id },
);

/** The writes as `compareWritesSortKeys` orders them. */
function inOrder(given: readonly Task[]): [string, string, number][] {
  const keyed = given.flatMap(({ id, path, channels }) => {
    return channels.map((channel, at): [WritesSortKey, [string, string, number]] => {
      const key = writesSortKey(path, id, WRITES_IDX_MAP[channel] ?? at);
      return [key, [id, channel, at]];
    });
  });
  keyed.sort(([one], [other]) => compareWritesSortKeys(one, other));
  return keyed.map(([, write]) => write);
}

async function expectOrder(saver: BaseCheckpointSaver, given: readonly Task[]): Promise<void> {
  const [first, second] = [config("t", idOf(1)), config("t", idOf(2))];
  await saver.put(config("t"), checkpoint(1), metadata(1), {});
  for (const { id, path, channels } of given) {
    const writes = channels.map((channel, at): [string, number] => [channel, at]);
    await saver.putWrites(first, writes, id, path);
  }
  await saver.put(first, checkpoint(2), metadata(2), {});
  const expected = inOrder(given);
  expect((await saver.getTuple(first))?.pendingWrites).toEqual(expected);
  const listed = await all(saver.list(config("t")));
  expect(listed.map(({ pendingWrites }) => pendingWrites)).toEqual([[], expected]);
  const history = await saver.getDeltaChannelHistory({ config: second, channels: ["a", "b"] });
  const writesTo = (channel: string) => expected.filter(([, written]) => written === channel);
  expect([history.a?.writes, history.b?.writes]).toEqual([writesTo("a"), writesTo("b")]);
}

test("sqlite_gives_writes_in_the_order_of_langgraph", async () => {
  await fc.assert(
    fc.asyncProperty(tasks, async (given) => {
      const saver = SqliteSaver.fromConnString(":memory:");
      try {
        await expectOrder(saver, given);
      } finally {
        saver.close();
      }
    }),
    { numRuns: 60 },
  );
});

describeKusto("on Kusto", () => {
  test("kusto_gives_writes_in_the_order_of_langgraph", async () => {
    const table = await newTable();
    await fc.assert(
      fc.asyncProperty(tasks, async (given) => {
        const saver = await table.open();
        try {
          await expectOrder(saver, given);
          await saver.deleteThread("t");
        } finally {
          await saver.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});
